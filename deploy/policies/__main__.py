"""Make what follows from the permissions that actions declare: `make iam`.

Without arguments it brings up to date what is kept here, for the sandbox's environment. With an environment's file it
writes that environment's policies and stack into a folder: `make iam ENVIRONMENT=my-clinic/environments/live.yaml`.
"""

import argparse
from pathlib import Path

from activities import local_files
from deploy.policies import authorization, files, tables
from starters.files.organisation_folder import load_environment


def main() -> None:
    asked = argparse.ArgumentParser(prog="make iam", description="Make IAM policies and the CloudFormation stack.")
    asked.add_argument("--environment", type=Path, help="an environment's file")
    asked.add_argument("--into", type=Path, default=Path("incident-iam"), help="the folder to write to")
    given = asked.parse_args()
    if given.environment is None:
        local_files.write(authorization.FILE, authorization.text().encode(), keep_mode=True)
        files.write({**files.shipped(), tables.DOCUMENT: tables.text()})
        return
    folder, name = given.environment.resolve().parents[1], given.environment.stem
    files.write(files.made(load_environment(folder, name), given.into / "iam", given.into / "stack.yaml"))


if __name__ == "__main__":
    main()
