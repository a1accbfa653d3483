"""What the route to PIM mirrors of Ajera's tables: the columns that it picks, and what it
remembers.

A column that another route uses is not mirrored here: it would cost PIM's database room, and its
edits would be work for nothing.
"""

from __future__ import annotations

from pipeline.domain import ajera
from pipeline.domain.codes import PROJECT_CODE_LENGTH
from pipeline.mapping.convert import cut, reference, text
from pipeline.mapping.mirror import Fold, MirroredTable, StickyColumn
from pipeline.mapping.site import Site
from pipeline.mapping.source import ColumnType
from pipeline.mapping.terms import Term
from pipeline.model.event import Row, Value


def _flagged(column: str) -> StickyColumn:
    return StickyColumn(
        name=f"ever_{column}",
        kind=ColumnType.FLAG,
        fold=Fold.EVER,
        of=Term(f"bool(row.get({column!r}))"),
        note=f"{column} was set once: the PIM row exists from then on, and is kept (assumption 10)",
    )


def _is_project(row: Row, _: Site) -> Value:
    """A project has no owner, or itself; every other row is a phase (assumption 25)."""
    return reference(row.get("prjProject")) in (None, row.get("prjKey"))


def _organization(row: Row, _: Site) -> Value:
    """The Integration Client, else the Integration Vendor (S-PIM, Contacts and Vendors)."""
    client, vendor = reference(row.get("cntClient")), reference(row.get("cntVendor"))
    if client is not None:
        return f"cl-{client}"
    return None if vendor is None else f"ve-{vendor}"


def _left(column: str) -> StickyColumn:
    return StickyColumn(
        name=f"left_{column}",
        kind=ColumnType.INTEGER,
        fold=Fold.LEFT,
        of=lambda row, _: reference(row.get(column)),
        note=(
            f"{column} before it was another one: a retired project still shows what left it "
            "afterwards"
        ),
    )


def _project_id(row: Row, _: Site) -> str | None:
    """As much as a code can hold, whatever units the target counts in:
    the mirror has to index it.
    """
    own = text(row.get("prjID"))
    return None if own is None else cut(own, PROJECT_CODE_LENGTH, utf16=True)


def _code_group(row: Row, site: Site) -> Value:
    own = _project_id(row, site)
    return None if own is None else own.lower()


AX_VEC = MirroredTable(
    ajera.AX_VEC.pick(
        *("vecDescription", "vecFirstName", "vecMiddleName", "vecLastName", "vecTitle"),
        *("vecEmail", "vecPhone1", "vecPhone2", "vecFax", "vecWebsite"),
        *("vecAddress1", "vecAddress2", "vecAddress3", "vecCity", "vecState", "vecZip"),
        *("vecIsClient", "vecIsVendor", "vecIsEmployee"),
    ),
    remembered=(_flagged("vecIsClient"), _flagged("vecIsVendor"), _flagged("vecIsEmployee")),
    shared=(
        *("vecDescription", "vecAddress1", "vecAddress2", "vecCity", "vecState", "vecZip"),
        *("ever_vecIsClient", "ever_vecIsVendor", "ever_vecIsEmployee"),
    ),
)

AX_CONTACT = MirroredTable(
    ajera.AX_CONTACT.pick(
        *("cntFirstName", "cntMiddleName", "cntLastName", "cntTitle", "cntEmail"),
        *("cntPhone1", "cntPhone2", "cntClient", "cntVendor"),
    ),
    remembered=(
        StickyColumn(
            "organization",
            ColumnType.SHORT_TEXT,
            Fold.LAST,
            _organization,
            "the newest Integration Client or Vendor: removing it changes nothing in PIM",
        ),
    ),
    indexed=("organization",),
)

AX_PROJECT = MirroredTable(
    ajera.AX_PROJECT.pick(
        *("prjID", "prjDescription", "prjNotes", "prjStatus", "prjProject"),
        *("prjProjectManager", "prjPrincipalInCharge", "prjMarketingContact"),
    ),
    remembered=(
        StickyColumn(
            "ever_project",
            ColumnType.FLAG,
            Fold.EVER,
            _is_project,
            "was a project, not a phase, once",
        ),
        StickyColumn(
            "project_id",
            ColumnType.SHORT_TEXT,
            Fold.LAST,
            _project_id,
            "the newest Project ID that was not blank: kept",
        ),
        StickyColumn(
            "code_group",
            ColumnType.SHORT_TEXT,
            Fold.LAST,
            _code_group,
            "Project ID as PIM compares codes",
        ),
    ),
    groups=("code_group",),
    member="ever_project",
    indexed=("prjProjectManager", "prjPrincipalInCharge", "prjMarketingContact", "code_group"),
)

AX_INVOICE_GROUP = MirroredTable(
    ajera.AX_INVOICE_GROUP,
    remembered=(_left("igProject"),),
    owners=(("igProject", "AxProject"),),
    indexed=("igProject", "igClient", "left_igProject"),
)

AX_RESOURCE = MirroredTable(
    ajera.AX_RESOURCE.pick("resProject", "resEmployee", "resRole"),
    remembered=(_left("resProject"),),
    owners=(("resProject", "AxProject"),),
    indexed=("resProject", "resEmployee", "left_resProject"),
)

# Order of locks: a table comes after those that its rows refer to.
MIRRORED = (AX_VEC, AX_CONTACT, AX_PROJECT, AX_INVOICE_GROUP, AX_RESOURCE)
