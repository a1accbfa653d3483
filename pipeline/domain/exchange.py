"""The maps between Ajera and DPS, one line per field with its rule and direction:
what is exchanged, on one screen.

Each line cites evidence.md (the vendor's own field tables were not recoverable, section 1.4) or
docs/assumptions.md. A site profile can change any line's rule (`[rules]`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from pipeline.conflicts.forms import Convert, cut, trimmed
from pipeline.conflicts.rules import (
    ColumnPair,
    Direction,
    Field,
    Rule,
    Rules,
    Side,
    column,
    with_rules,
)
from pipeline.conflicts.version import below_two_way
from pipeline.domain import ajera, dps
from pipeline.domain.choice import Choices, chosen
from pipeline.domain.exchange_tables import AX_CONTACT, AX_PROJECT, AX_VEC, PR
from pipeline.domain.status import CLOSED, LINE, StatusCoding, with_status
from pipeline.errors import ParkReason, ProfileInvalid
from pipeline.mapping.convert import reference
from pipeline.model.event import Row, Value
from pipeline.pairing.entity import Entity, EntitySide, Lists, NewKey, NewRowContext, one_way

TEMPLATE = "@template"  # no column of AxProject: the template whose phases a new project gets
YES, BLANK = (
    "Y",
    " ",
)  # how DPS stores a ticked box, and a project level's WBS2 and WBS3 (evidence.md 4.2)
# DPS's status of a row that we create, where its line does not say another (evidence.md 4.3,
# QX-PRJ)
IN_USE = "A"

BOTH, TO_DPS, TO_AJERA = Direction.BOTH, Direction.TO_DPS, Direction.TO_AJERA
NEWEST, AJERA, DPS, MANUAL, CREATE_ONLY = (
    Rule.NEWEST,
    Rule.AJERA,
    Rule.DPS,
    Rule.MANUAL,
    Rule.CREATE_ONLY,
)


def line(
    name: str,
    ajera: str,
    in_dps: str,
    rule: Rule,
    direction: Direction = BOTH,
    *,
    length: int | None = None,
    to_dps: Convert | None = None,
    to_ajera: Convert = trimmed,
    through: str = "",
    owner: Side = Side.AJERA,
    only_fills: bool = False,
    note: str = "",
    samples: Iterable[Value] = (),
) -> ColumnPair:
    """A line of one column each. `length`: of the DPS column,
    to which longer text is cut (evidence.md 4.3). `samples`: the codes that a conversion knows.
    """
    shortened = trimmed if length is None else cut(length)
    return ColumnPair(
        name, column(ajera, reference if through else trimmed), column(in_dps, trimmed),
        rule, direction, owner,
        to_dps=to_dps or shortened, to_ajera=to_ajera, through=through, only_fills=only_fills,
        note=note, length=length, samples=tuple(samples),
    )  # fmt: skip


# -- forms -----------------------------------------------------------------------------------------


def _last_name(value: Value) -> Value:
    """DPS requires one: a blank last name is a full stop (GH-CNV, evidence.md 4.3)."""
    return cut(30)(value) or "."


def _no_full_stop(value: Value) -> Value:
    return None if value == "." else trimmed(value)


FINAL_STAGES = {
    "Won": "Won",
    "Lost": "Lost",
    "Do Not Pursue": "Do Not Pursue",
    "DNP": "Do Not Pursue",
}


def _disposition(value: Value) -> Value:
    """Won, Lost and Do Not Pursue are final; every other stage is none (evidence.md 1.3; codes:
    assumption 37).
    """
    return FINAL_STAGES.get(str(trimmed(value)))


def _is_long(name: Value) -> bool:
    """The long name where it has more than 40 characters, else the short one (evidence.md 1.2,
    CRM-MAP).
    """
    return isinstance(name, str) and len(name) > 40


def _project_name(row: Row) -> Value:
    long, short = trimmed(row["LongName"]), trimmed(row["Name"])
    return long if _is_long(long) else short


def _named(value: Value, row: Row) -> Row:
    """Only what is compared is written: a long name of up to 40 characters,
    or a short one beside a long one, is DPS's own.

    A long name that was compared goes when the name becomes short:
    it would be read as the name otherwise.
    """
    long, short = trimmed(row.get("LongName")), trimmed(row.get("Name"))
    if not _is_long(value):
        return {"Name": value, "LongName": None} if _is_long(long) else {"Name": value}
    is_own = _is_long(long) and short not in (None, cut(40)(long))
    return {"LongName": value} if is_own else {"Name": cut(40)(value), "LongName": value}


PROJECT_NAME = Field(("Name", "LongName"), _project_name, _named)


# -- which rows, and what is made ------------------------------------------------------------------


def _text(value: Value) -> str:
    found = trimmed(value)
    return found if isinstance(found, str) else ""


def _new_id(_: NewRowContext) -> NewKey:
    return (uuid.uuid4().hex.upper(),)


PROJECT_NUMBER_LENGTH = 30  # PR.WBS1
EMPLOYEE_NUMBER_LENGTH = 20  # EM.Employee (evidence.md 4.3)


def _new_address(creating: NewRowContext) -> NewKey:
    return (*creating.parent, "Main")


def _new_project_number(creating: NewRowContext) -> NewKey:
    """The Project ID; without one the next number, if DPS numbers by itself (evidence.md 1.3,
    CRM-PRJ).
    """
    number = _text(creating.row["prjID"]) or creating.numbers["project"].format(key=creating.key)
    if not number:
        return ParkReason.NO_PROJECT_NUMBER
    fits = len(number) <= PROJECT_NUMBER_LENGTH  # cut, it could be another project's
    return (number, BLANK, BLANK) if fits else ParkReason.NUMBER_TOO_LONG


def _new_employee_number(creating: NewRowContext) -> NewKey:
    """Employee auto-numbering must be on (evidence.md 1.3, CRM-STEP2)."""
    number = creating.numbers["employee"].format(key=creating.key)
    if not number:
        return ParkReason.NO_EMPLOYEE_NUMBER
    return (number,) if len(number) <= EMPLOYEE_NUMBER_LENGTH else ParkReason.NUMBER_TOO_LONG


def _is_project(row: Row, _: Lists) -> bool:
    """No owner, or itself (assumption 25)."""
    return row["prjProject"] in (None, 0, row["prjKey"])


def _is_project_level(row: Row, _: Lists) -> bool:
    return not _text(row["WBS2"]) and not _text(row["WBS3"])


def _is_consultant(row: Row, lists: Lists) -> bool:
    """Only consultants among the vendors (evidence.md 1.3, CRM-SIMPLE)."""
    return bool(row["vecIsVendor"]) and row["vecVendorType"] in lists.of("consultant", Side.AJERA)


def _is_no_client(row: Row) -> bool:
    """One that is exchanged as a client is not a vendor's affair:
    two maps must not write one column (assumption 46).
    """
    return not (row["vecIsClient"] and row["vecSyncToCRM"])


def _ticked(row: Row) -> bool:
    return row["AjeraSync"] == YES


def _always(_: Row) -> bool:
    return True


def _never(_: Row) -> bool:
    return False


# -- the maps --------------------------------------------------------------------------------------

FIRM = (
    line("name", "vecDescription", "Name", NEWEST, length=100, note="match key (1.2, CRM-MAP)"),
    line(
        "website", "vecWebsite", "WebSite", NEWEST, length=255, note="4.3; pairing is assumption 36"
    ),
    line(
        "notes",
        "vecClientNotes",
        "Memo",
        MANUAL,
        note="4.3; two people's texts are never mixed (assumption 36)",
    ),
    line(
        "market",
        "vecClientType",
        "Type",
        DPS,
        through="client_type",
        note="Client Type = Company Market (1.3)",
    ),
    line(
        LINE,
        "vecStatus",
        "Status",
        AJERA,
        TO_DPS,
        note="4.3; by `routes.dps.status_coding` (assumption 34)",
    ),
)
FIRM_ADDRESS = tuple(
    line(name, ajera, in_dps, NEWEST, length=length, note="primary address = Main, GH-CNV (4.3)")
    for name, ajera, in_dps, length in (
        *((f"address{n}", f"vecAddress{n}", f"Address{n}", 50) for n in (1, 2, 3)),
        ("city", "vecCity", "City", 30),
        ("state", "vecState", "State", 10),
        ("zip", "vecZip", "ZIP", 10),
        ("phone", "vecPhone1", "Phone", 24),
        ("fax", "vecFax", "FAX", 24),
        ("email", "vecEmail", "EMail", 50),
    )
)
CONTACT = (
    line("first_name", "cntFirstName", "FirstName", NEWEST, length=25,
        note="match key (1.2, CRM-MAP)"),
    line("middle_name", "cntMiddleName", "MiddleName", NEWEST, length=30,
        note="match key (1.2, CRM-MAP)"),
    line(
        "last_name", "cntLastName", "LastName", NEWEST, length=30,
        to_dps=_last_name, to_ajera=_no_full_stop,
        note="match key (1.2, CRM-MAP); required in DPS (4.4)",
    ),
    line("title", "cntTitle", "Title", NEWEST, length=50, note="4.3; pairing is assumption 36"),
    line("email", "cntEmail", "EMail", NEWEST, length=255, note="4.3; pairing is assumption 36"),
    line("phone", "cntPhone1", "Phone", NEWEST, length=24, note="GH-CNV (4.3)"),
    line("mobile", "cntPhone2", "CellPhone", NEWEST, length=24, note="GH-CNV (4.3)"),
    line("fax", "cntFax", "FAX", NEWEST, length=24, note="GH-CNV (4.3)"),
    line(LINE, "cntStatus", "Status", AJERA, TO_DPS,
        note="4.3; by `routes.dps.status_coding` (assumption 34)"),
    line("firm", "cntClient", "ClientID", NEWEST, through="firm",
        note="at most one firm (4.4, DPS-FCT)"),
)  # fmt: skip
EMPLOYEE = (
    line("first_name", "vecFirstName", "FirstName", AJERA, TO_DPS, length=25, note="1.4, CRM-MAP"),
    line("middle_name", "vecMiddleName", "MiddleName", AJERA, TO_DPS, length=50,
        note="1.4, CRM-MAP"),
    line(
        "last_name", "vecLastName", "LastName", AJERA, TO_DPS, length=50, to_ajera=_no_full_stop,
        to_dps=lambda value: cut(50)(value) or ".", note="1.4, CRM-MAP; required in DPS",
    ),
    line("email", "vecEmail", "EMail", AJERA, TO_DPS, length=50,
        note="4.3; pairing is assumption 36"),
    line("phone", "vecPhone1", "HomePhone", AJERA, TO_DPS, length=24,
        note="4.3; pairing is assumption 36"),
)  # fmt: skip
VENDOR = (
    line("name", "vecDescription", "Name", AJERA, TO_DPS, length=100, note="1.4, CRM-MAP"),
    line(
        "website",
        "vecWebsite",
        "WebSite",
        AJERA,
        TO_DPS,
        length=255,
        note="4.3; pairing is assumption 36",
    ),
    line(
        LINE,
        "vecStatus",
        "Status",
        AJERA,
        TO_DPS,
        note="4.3; by `routes.dps.status_coding` (assumption 34)",
    ),
)
PROJECT = (
    ColumnPair(
        "name", column("prjDescription", trimmed), PROJECT_NAME, NEWEST,
        to_dps=cut(255), to_ajera=trimmed, length=255,
        note="short name to 40 characters, else long name (1.2, CRM-MAP)",
    ),
    line("number", "prjID", "WBS1", CREATE_ONLY, length=30,
        note="project number := Project ID, at creation only (1.3)"),
    line("notes", "prjNotes", "Memo", NEWEST,
        note="1.3 (project information); pairing is assumption 36"),
    line("type", "prjProjectType", "ProjectType", AJERA, through="project_type",
        note="1.4, CRM-STEP2, CRM-PRJ"),
    line(LINE, "prjStatus", "Status", AJERA, TO_DPS,
        note="4.3; once `routes.dps.status_coding` is set (assumption 35)"),
    line(
        "chance", "prjChanceOfWinning", "Probability", NEWEST, TO_AJERA, owner=Side.DPS,
        note="1.3, CRM-INFO",
    ),
    line(
        "disposition", "prjFinalDisposition", "Stage", NEWEST, TO_AJERA,
        to_ajera=_disposition, owner=Side.DPS, samples=FINAL_STAGES,
        note="Pursuit Stage Won / Lost / Do Not Pursue (1.3, CRM-INFO)",
    ),
    line(
        "template", TEMPLATE, "ProjectTemplate", CREATE_ONLY, TO_AJERA, through="project_template",
        owner=Side.DPS,
        note="S-DPS: prefills the WBS; its description is the template's name (1.3, CRM-STEP2)",
    ),
)  # fmt: skip
PROJECT_CLIENT = (
    line(
        "client", "igClient", "ClientID", NEWEST, TO_AJERA, through="firm", owner=Side.DPS,
        only_fills=True,
        note=(
            "1.4, CRM-STEP2; who is billed: fills a blank, never "
            "replaces a client (assumption 42)"
        ),
    ),
)  # fmt: skip
PROJECT_CONTACT = (
    line("contact", "pcContact", "ContactID", CREATE_ONLY, TO_AJERA, through="contact",
        owner=Side.DPS,
         note="CRM to Ajera only (1.3, CRM-PRJ); flagged Ajera Sync (S-DPS)"),
)  # fmt: skip

PERSON = ("first_name", "middle_name", "last_name")

ENTITIES: tuple[Entity, ...] = (
    Entity(
        "firm",
        EntitySide(
            AX_VEC,
            belongs=lambda row, _: bool(row["vecIsClient"]),
            is_flagged=lambda row: bool(row["vecSyncToCRM"]),
            constants={
                "vecIsClient": True,
                "vecIsVendor": False,
                "vecIsEmployee": False,
                "vecSyncToCRM": True,
            },
        ),
        EntitySide(
            dps.CLENDOR,
            belongs=lambda row, _: row["ClientInd"] == YES,
            is_flagged=_ticked,
            new_key=_new_id,
            constants={"ClientInd": YES, "VendorInd": "N", "AjeraSync": YES, "Status": IN_USE},
        ),
        Rules(FIRM),
        one_way(BOTH),
        named_by=("name",),
        told_apart_by=("firm_address.city", "firm_address.email"),
    ),
    Entity(
        "firm_address",
        EntitySide(AX_VEC, is_flagged=lambda row: bool(row["vecSyncToCRM"]), parent=("vecKey",)),
        EntitySide(
            dps.CL_ADDRESS,
            belongs=lambda row, _: row["PrimaryInd"] == YES,
            is_flagged=_always,
            parent=("ClientID",),
            new_key=_new_address,
            constants={"PrimaryInd": YES},
            follows_parent=True,
        ),
        Rules(FIRM_ADDRESS),
        one_way(TO_DPS),
        parent="firm",
    ),
    Entity(
        "contact",
        EntitySide(
            AX_CONTACT,
            is_flagged=lambda row: bool(row["cntSyncToCRM"]),
            constants={"cntSyncToCRM": True},
        ),
        EntitySide(
            dps.CONTACTS,
            is_flagged=_ticked,
            new_key=_new_id,
            constants={"AjeraSync": YES, "Status": IN_USE},
        ),
        Rules(CONTACT),
        one_way(BOTH),
        named_by=PERSON,
        told_apart_by=("email", "phone"),
        limited_by="firm",
    ),
    Entity(
        "employee",
        EntitySide(
            AX_VEC,
            belongs=lambda row, _: bool(row["vecIsEmployee"]),
            is_flagged=_always,
        ),
        EntitySide(
            dps.EM,
            is_flagged=_always,
            may_create=_never,
            new_key=_new_employee_number,
            constants={"Status": IN_USE},
        ),
        Rules(EMPLOYEE),
        one_way(TO_DPS),
        named_by=PERSON,
        told_apart_by=("email", "phone"),
    ),
    Entity(
        "vendor",
        EntitySide(
            AX_VEC,
            belongs=_is_consultant,
            is_flagged=_is_no_client,
        ),
        EntitySide(
            dps.CLENDOR,
            belongs=lambda row, _: row["VendorInd"] == YES and row["ClientInd"] != YES,
            is_mixed=lambda row: row["VendorInd"] == YES and row["ClientInd"] == YES,
            is_flagged=_always,
            may_create=_never,
            new_key=_new_id,
            constants={"ClientInd": "N", "VendorInd": YES, "VendorType": "C", "Status": IN_USE},
        ),
        Rules(VENDOR),
        one_way(TO_DPS),
        named_by=("name",),
        told_apart_by=("website",),
    ),
    Entity(
        "project",
        EntitySide(
            AX_PROJECT,
            belongs=_is_project,
            is_flagged=lambda row: bool(row["prjSyncToCRM"] or row["prjCreateInCRM"]),
            may_create=lambda row: bool(row["prjCreateInCRM"]) and row["prjStatus"] != CLOSED,
            constants={"prjStatus": 0, "prjProject": None, "prjSyncToCRM": True},
        ),
        EntitySide(
            PR,
            belongs=_is_project_level,
            is_flagged=_ticked,
            new_key=_new_project_number,
            constants={"AjeraSync": YES, "Status": IN_USE},
        ),
        Rules(PROJECT),
        one_way(BOTH),
        named_by=("name",),
        told_apart_by=("number",),
        needs=("template",),
        namesakes_park=True,
    ),
    Entity(
        "project_client",
        EntitySide(ajera.AX_INVOICE_GROUP, is_flagged=_always, parent=("igProject",)),
        EntitySide(
            PR, belongs=_is_project_level, is_flagged=_ticked, parent=("WBS1", "WBS2", "WBS3")
        ),
        Rules(PROJECT_CLIENT),
        one_way(TO_AJERA),
        parent="project",
        needs=("client",),
        brings=frozenset(
            {"client"}
        ),  # a firm attached to a synced project is created in Ajera (1.2, CRM-STEP2)
    ),
    Entity(
        "project_contact",
        EntitySide(ajera.AX_PROJECT_CONTACT, is_flagged=_always, parent=("pcProject",)),
        EntitySide(
            dps.PR_CONTACT_ASSOC,
            is_flagged=_ticked,
            parent=("WBS1", "WBS2", "WBS3"),
            follows_parent=True,
        ),
        Rules(PROJECT_CONTACT),
        one_way(TO_AJERA),
        parent="project",
        within="contact",
        needs=("contact",),
    ),
)


def entities(
    *,
    two_way: bool,
    rules: dict[str, Rule],
    clock_tolerance: timedelta,
    status: StatusCoding,
    choices: Choices,
    only: Iterable[str] | None = None,
) -> tuple[Entity, ...]:
    """The entities as this installation exchanges them; `rules` by "entity.line". `status`:
    what Ajera's statuses mean.
    `choices`: which employees and consultants.

    Below 8.09 only DPS to Ajera is left: contacts, firms, projects (S-DPS). Raises ProfileInvalid.
    """
    known = {entity.name for entity in ENTITIES}
    unknown = sorted(name for name in rules if name.partition(".")[0] not in known)
    if unknown:
        raise ProfileInvalid(f"rules: no entity is called so: {', '.join(unknown)}")
    found = []
    for one in ENTITIES:
        own = {
            name.partition(".")[2]: rule
            for name, rule in rules.items()
            if name.partition(".")[0] == one.name
        }
        changed = with_rules(Rules(one.rules.pairs, clock_tolerance=clock_tolerance), own)
        _refuse_changed_keys(one, changed)
        changed = with_status(one.name, changed, status)
        entity = chosen(one, choices, status)
        kept = (
            replace(entity, rules=changed)
            if two_way
            else entity.to_ajera_only(below_two_way(changed, entity.found_by))
        )
        if kept is not None and (only is None or entity.name in only):
            found.append(kept)
    # Projects are linked before those whom they choose.
    return tuple(sorted(found, key=lambda one: one.ajera.time is not None))


def _refuse_changed_keys(entity: Entity, rules: Rules) -> None:
    """A key is given when its row is created, and never written after. Raises ProfileInvalid."""
    for pair in rules.pairs:
        for side in Side:
            is_key = not set(pair.field(side).columns).isdisjoint(entity.side(side).table.key)
            is_written = pair.flows_to(side) and pair.owning_side is not side
            if is_key and is_written and pair.rule is not Rule.CREATE_ONLY:
                raise ProfileInvalid(
                    f"rules.{entity.name}.{pair.name}: {pair.rule} would change the key of a row;"
                    f" state {Rule.CREATE_ONLY} or {side}."
                )
