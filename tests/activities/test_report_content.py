"""The report holds everything that it must, each part from the ledger alone."""

import json

from domain.values.words import in_words
from reporting.formats.rendering import rendered
from tests.activities.report_parts import SYDNEY, parts
from tests.activities.report_worlds import EVIDENCE, outage

PARTS = parts(outage())


def has(part: str, *told: str) -> None:
    """Each of these stands in a line of the part."""
    for text in told:
        assert any(text in line for line in PARTS[part]), (part, text, PARTS[part])


def test_the_order_of_the_parts() -> None:
    """What is read first stands first; the timeline, long as it is, after what was made of it."""
    assert list(PARTS) == [
        "",
        "Summary",
        "Impact",
        "What was found",
        "What was changed",
        "Decisions",
        "Service levels",
        "Obligations and facts",
        "Contributing factors and lessons",
        "Checklist",
        "Who was paged",
        "What was announced",
        "Timeline",
        "Evidence and its custody",
        "The record",
    ]


def test_the_summary() -> None:
    """What it was, where, who led it, when what happened, in the organisation's zone."""
    has(
        "Summary",
        "P0 incident of type system-outage in production (live), closed. Commander: devops-lead.",
        "Patients cannot see studies.",
        "Times are those of Australia/Sydney",
        "Declared | 2026-11-23 14:00:00 +11:00 | by devops-lead",
        "Acknowledged | 2026-11-23 14:07:00 +11:00 | 7m",
        "Mitigated | 2026-11-23 14:22:40 +11:00 | 22m 40s",
        "Resolved | 2026-11-23 15:22:40 +11:00 | 1h 22m",
        "Closed | 2026-11-23 16:55:40 +11:00 | 2h 55m",
        "pages were sent. Runbook system-outage, version 1.0, digest ",
    )


def test_the_impact() -> None:
    has(
        "Impact",
        "It lasted for 22m 40s, from the declaration to the mitigation. Severity: P1 → P0.",
        "Sensitive information: suspected to be affected.",
        "Deployments: 3 of 3 tasks unhealthy",
        "resolved, by devops-lead: steady for an hour",
    )
    assert not any("the database answers" in line for line in PARTS["Impact"])


def test_health_information_that_the_declaration_does_not_name() -> None:
    """It is never said that nothing was suspected: what people recorded since is pointed to."""
    first, *others = outage()
    declaration = {**first.data["declaration"], "phi": False}
    silent = [first.model_copy(update={"data": {"declaration": declaration}}), *others]
    (line,) = [line for line in parts(silent)["Impact"] if line.startswith("Sensitive information")]
    assert line.endswith("what was suspected or believed since stands under “Obligations and facts”.")
    (line,) = [
        line
        for line in parts([entry for entry in silent if entry.kind != "fact" and "obligation" not in entry.kind])[
            "Impact"
        ]
        if line.startswith("Sensitive information")
    ]
    assert line == "Sensitive information: not named in the declaration."


def test_findings_with_facts_and_evidence() -> None:
    """Facts as people read them and in the report's zone; the reference to the evidence as it was recorded."""
    facts = "failed: 3, share: 0.6, when: 2026-11-23 13:58:00 +11:00, complete: yes, cause: none"
    has("What was found", f"Deployments | suspect | 3 of 3 tasks unhealthy | {facts} | {EVIDENCE}")
    has("What was found", "Health | ok | the database answers |  | ")


def test_every_change_with_before_and_after() -> None:
    """Each change: before, after, impact, who decided as what and why, what came of it, target and digest."""
    plan = next(entry.data["plan"] for entry in outage() if entry.kind == "plan")
    has(
        "What was changed",
        "Roll back: applied",
        "test.rollback, class A2, requested by development-lead at 2026-11-23 14:18:30 +11:00.",
        "Impact: All 3 tasks are replaced.",
        "revision | 8 | 7",
        "technical-manager | technical-manager | approve | 2026-11-23 14:19:10 +11:00 | no | read and agreed",
        "Outcome at 2026-11-23 14:20:00 +11:00: 3 of 3 tasks healthy",
        "Change: inc-20261123-7f3k/rollback/1",
        f"Target: {plan['target']}",
        f"Digest: {plan['digest']}",
        f"Words: {in_words(plan['digest'])}",
        "Promote: rejected",
        "role | none | primary: yes",
        "cto | cto | reject | 2026-11-23 14:21:10 +11:00 | no | the primary is back",
    )


def test_decisions_with_who_and_why() -> None:
    has(
        "Decisions",
        "14:07:30 +11:00 | devops-lead | severity P1 to P0 | every patient is concerned",
        "14:19:10 +11:00 | technical-manager | approve rollback, as technical-manager | read and agreed",
        "14:21:10 +11:00 | cto | reject promote, as cto | the primary is back",
        "14:22:40 +11:00 | devops-lead | mitigated | rolled back",
        "15:22:40 +11:00 | devops-lead | resolved | steady for an hour",
        "technical-manager | waived rescue | it was over before",
        "privacy-officer | Believed: 2026-11-23 15:00:00 +11:00 | logs were read",
        "privacy-officer | Make the statement: signed, still open | NDB-2026-117",
        "cto | Make the statement: ended, discharged | NDB-2026-117",
        "devops-lead | closed | ",
        "development-lead | Refused resolve: the incident is acknowledged",
    )


def test_service_levels_mtta_and_mttr() -> None:
    """How long each step took, and every deadline: met with how much to spare, or missed and by how much."""
    has(
        "Service levels",
        "Time to acknowledge (for MTTA) | 7m",
        "Time to mitigate | 22m 40s",
        "Time to resolve (for MTTR) | 1h 22m",
        "of the 7 deadlines that came to an end were met.",
        "acknowledge | 2026-11-23 14:00:00 +11:00 | 2026-11-23 15:00:00 +11:00 | met | 2026-11-23 14:07:00 +11:00",
        " | 53m to spare",
        "phase immediate | 2026-11-23 14:00:00 +11:00 | 2026-11-23 14:15:00 +11:00 | breached | ",
        " | 1h 8m late",
        "approve rollback | ",
        "update stakeholders (2 times) | 2026-11-23 14:07:00 +11:00 | 2026-11-23 14:51:40 +11:00 | breached | ",
    )


def test_obligations_their_facts_and_signatures() -> None:
    """Each duty: by whom it is set, until when, whether it was kept, what proves it, who signed."""
    has(
        "Obligations and facts",
        "Suspected | 2026-11-23 14:00:00 +11:00 | devops-lead | 2026-11-23 14:00:00 +11:00 | as declared",
        "Believed | 2026-11-23 15:00:00 +11:00 | privacy-officer | 2026-11-23 15:24:40 +11:00 | logs were read",
        "Assess (law, s 26WH); privacy-officer | superseded | 2026-12-23 14:00:00 +11:00 (law: s 26WH(2)) | ",
        "| discharged | 2026-11-23 14:15:00 +11:00 (policy: the runbook) | 2026-11-23 14:17:30 +11:00",
        " | no, 2m 30s late | acknowledged by privacy-officer",
        "| discharged | as soon as practicable, at the latest 2026-11-26 15:00:00 +11:00 (policy: our own ceiling) | ",
        " | yes | NDB-2026-117",
        "Make the statement | privacy-officer | privacy-officer | 2026-11-23 16:54:40 +11:00",
        "Make the statement | cto | cto | 2026-11-23 16:55:10 +11:00",
    )


def test_causes_and_lessons_as_people_wrote_them() -> None:
    has(
        "Contributing factors and lessons",
        "Assess the impact",
        "Revision 8 lacked a migration.",
        "devops-lead, 2026-11-23 15:23:10 +11:00 (assess)",
        "Test migrations on a copy.",
        "Give another way (rescue), by technical-manager: it was over before",
        "2026-11-23 14:21:40 +11:00 | cto | The dump is with the vendor.",
    )


def test_the_checklist() -> None:
    """Every task and how it stands, that which a finding asked for later too."""
    has(
        "Checklist",
        "3 of 3 required tasks are done or waived.",
        "immediate | assess | Assess the impact | devops-lead | 2026-11-23 14:15:00 +11:00 | done",
        "afterwards | training | Train | devops-lead | 2026-12-03 15:22:40 +11:00 | open (optional)",
        "more | rescue | Give another way | cto | 2026-11-23 15:00:00 +11:00 | waived",
    )


def test_pages_notices_and_custody() -> None:
    has(
        "Who was paged",
        "A page is sent when the provider takes it; that somebody read it only an acknowledgement says.",
    )
    has("Who was paged", "2026-11-23 14:00:00 +11:00 | devops-lead | devops-lead | on call | declared")
    has("What was announced", "investigating | test.tell | sent | 2026-11-23 14:05:00 +11:00 | ref-1")
    has("What was announced", "support | test.tell | skipped | ", "the cause is ours: deployments")
    has("Evidence and its custody", "14:22:10 +11:00 | cto | dump-1 | transferred | the vendor | for analysis")


def test_the_timeline_is_whole_and_in_one_zone() -> None:
    """Every entry by its number; an instant in its text is told in the report's zone, the rest as it was recorded."""
    table = PARTS["Timeline"]
    assert len(table) == len(outage()) + 2
    assert [line.split(" | ")[0] for line in table[2:]] == [str(number) for number in range(1, len(outage()) + 1)]
    has("Timeline", "belief_at is 2026-11-23 15:00:00 +11:00: Believed (logs were read)")
    assert not any("T04:00:00Z" in line for line in table)


def test_what_the_record_is_worth() -> None:
    has("The record", f"{len(outage())} entries; each follows from the one before it by SHA-256.", outage()[-1].hash)
    broken = [*outage()]
    broken[7] = broken[7].model_copy(update={"text": "something else"})
    assert any("does NOT follow at number 8" in line for line in parts(broken)["The record"])


def test_the_document() -> None:
    """As JSON: seconds to each moment, and the record as it stands, so that nothing is lost in words."""
    told = json.loads(rendered([*outage()], "json", SYDNEY))
    assert told["seconds_to"] == {"acknowledged": 420.0, "mitigated": 1360.0, "resolved": 4960.0, "closed": 10540.0}
    assert told["timeline"] == [entry.model_dump(mode="json") for entry in outage()]
    assert [change["status"] for change in told["incident"]["changes"]] == ["applied", "rejected"]
    plans = [change["plan"] for change in told["incident"]["changes"]]
    assert [plan["words"] for plan in plans] == [in_words(plan["digest"]) for plan in plans]


def test_a_plan_that_is_not_of_its_digest_has_no_words() -> None:
    """They are made of the plan in the record, and never of the digest beside it."""
    index, entry = next((index, one) for index, one in enumerate(outage()) if one.kind == "plan")
    altered = {**entry.data, "plan": {**entry.data["plan"], "impact": "None at all."}}
    entries = [*outage()]
    entries[index] = entry.model_copy(update={"data": altered})
    (told, _) = [line for line in parts(entries)["What was changed"] if line.startswith("Words: ")]
    assert told == "Words: none: the plan on record is not what its digest was made of"
    document = json.loads(rendered(entries, "json", SYDNEY))
    assert document["incident"]["changes"][0]["plan"]["words"] is None
