"""Make what follows from the permissions that actions declare: `make iam`."""

from deploy.policies import authorization


def main() -> None:
    authorization.FILE.write_text(authorization.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
