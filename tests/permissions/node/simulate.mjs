// Evaluates requests against policies, as IAM would: one JSON document in, one verdict a request out.
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { readFileSync } from 'node:fs'

const { policies, requests } = JSON.parse(readFileSync(0, 'utf8'))
const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
const named = (name) => ({ name, policy: policies[name] })

async function verdict({ action, resource, account, principal, context, identity, boundary, control, own }) {
  const answer = await runSimulation(
    {
      request: { action, principal, resource: { resource, accountId: account }, contextVariables: context },
      identityPolicies: identity.map(named),
      permissionBoundaryPolicies: boundary.map(named),
      serviceControlPolicies: [
        { orgIdentifier: 'account', policies: [{ name: 'everything', policy: everything }, ...control.map(named)] }
      ],
      resourceControlPolicies: [],
      resourcePolicy: own ? policies[own] : undefined
    },
    {}
  )
  return answer.resultType === 'error' ? `error: ${JSON.stringify(answer.errors)}` : answer.overallResult
}

const verdicts = []
for (const request of requests) verdicts.push(await verdict(request))
process.stdout.write(JSON.stringify(verdicts))
