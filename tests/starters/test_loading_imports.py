"""What reading an organisation's folder does without: whoever only looks waits for no library of AWS or Temporal."""

import subprocess
import sys


def test_loading_imports_no_library_of_aws_or_temporal() -> None:
    """The command starts fast and light: to load and lint needs neither boto3 nor Temporal's SDK."""
    program = (
        "import sys; from starters.files.loading import lint;"
        "from starters.files.runbook_schema import runbook_schema;"
        "from starters.files.shipped import shipped_folder;"
        "lint(shipped_folder()); runbook_schema();"
        "print([m for m in sys.modules if m.split('.')[0] in ('boto3', 'botocore')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_who_and_where_are_read_without_any_action() -> None:
    """Nearly every command reads the organisation; what can be done takes far longer to load than all of that."""
    program = (
        "import sys; from starters.files import organisation_folder as folder;"
        "from starters.files.shipped import shipped_folder;"
        "folder.load_organisation(shipped_folder()); folder.load_environment(shipped_folder(), 'sandbox');"
        "print([m for m in sys.modules if m.split('.')[0] in ('activities', 'temporalio', 'requests')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
