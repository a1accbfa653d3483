"""`ajera-cdc reference`: the generated pages of docs/reference, written or checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pipeline.cli.choices import routes_of
from pipeline.cli.command import plain_command
from pipeline.cli.output import Outcome
from pipeline.config.document import reference as configuration_page
from pipeline.connect.reasons import reason
from pipeline.connect.templates import load
from pipeline.domain.routes import AnyRoute, Routes
from pipeline.errors import ExitCode, ParkReason, PipelineError, Remedy
from pipeline.mapping.route import Route
from pipeline.mapping.site import Assumptions, ColumnPolicy, KeyTable, Site
from pipeline.operations.exchange_mappings import shown as exchanged
from pipeline.operations.mappings import shown
from pipeline.telemetry.metrics import METRICS

HEAD = "<!-- Written by `make reference`; a test keeps it up to date. -->\n"


@plain_command("reference")
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the pages into this folder.",
)
@click.option(
    "--check",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Compare the pages there.",
)
@click.pass_context
def reference(context: click.Context, write: Path | None, check: Path | None) -> Outcome:
    """Write the generated reference pages,
    or check that they are up to date (exit code 1 if not).
    """
    made = pages(context.find_root().command, routes_of(context))
    if write is not None:
        for name, text in made.items():
            path = write / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    stale = (
        []
        if check is None
        else [name for name, text in made.items() if not _is_same(check / name, text)]
    )
    words = (
        f"not up to date: {', '.join(stale)}; run `make reference`"
        if stale
        else f"{len(made)} pages"
    )
    return Outcome(
        {"pages": list(made), "stale": stale},
        words,
        ExitCode.RUNTIME if stale else ExitCode.OK,
    )


def _is_same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def pages(root: click.Command, routes: Routes) -> dict[str, str]:
    """Every page: its name below docs/reference, and its text."""
    return {
        "cli.md": HEAD + "# Commands\n\n" + "\n".join(_commands(root, "ajera-cdc", routes)),
        "configuration.md": HEAD
        + "# Configuration\n\n"
        + CONFIGURATION
        + configuration_page(routes)
        + "\n".join(_profile()),
        "connectors.md": HEAD + "# Connector settings\n\n" + "\n".join(_connectors()),
        "errors.md": HEAD + "# Errors\n\n" + ERRORS + "\n".join(_errors()),
        **{f"mappings/{one.name}.md": HEAD + "\n".join(_mappings(one)) for one in routes},
        "metrics.md": HEAD + "# Metrics\n\n" + "\n".join(_metrics()),
    }


CONFIGURATION = (
    "One TOML file; every key can be overridden by the environment as "
    "`AJERA_CDC_<SECTION>__<KEY>`. `ajera-cdc config template` prints the file with these texts "
    "in place.\n\n"
)
ERRORS = (
    "Every error has a code, a remedy (what the consumer does about it), a hint, and a page of the "
    "[runbook](../runbook/README.md), which `ajera-cdc explain CODE` prints, too. Three ends of "
    "a command are no errors of the route: `cli.declined` (a question was answered with no; exit "
    "code 1), `cli.interrupted` (Ctrl-C; 130) and "
    "`internal.unexpected` (a fault of the program; 1).\n\n"
)
PARKED = (
    "## Reasons to park\n\nThe rows behind a parked one continue. `ajera-cdc status` counts what "
    "waits, by these codes; `ajera-cdc conflicts list` shows the exchange's rows and lines.\n"
)
EXCHANGE = (
    "From Ajera 8.09 on as below; before it, only lines that flow to Ajera, contacts, firms and "
    "projects. Numbers are sections of evidence.md, or assumptions of `docs/assumptions.md`. A "
    "site profile can give a line another rule: "
    '`[rules]`, `"firm.website" = "manual"`.\n'
)


def _row(*cells: object) -> str:
    return (
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
    )


def _table(*headings: str) -> Iterator[str]:
    yield _row(*headings)
    yield "|" + "---|" * len(headings)


def _commands(command: click.Command, path: str, routes: Routes) -> Iterator[str]:
    context = click.Context(
        command,
        info_name=path,
        obj=lambda: routes,
        terminal_width=100,
        help_option_names=["-h", "--help"],
    )
    yield f"## `{path}`\n\n```\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _commands(inner, f"{path} {name}", routes)


def _profile() -> Iterator[str]:
    yield (
        "\n## Site profile\n\nNames: `[source.<Table>]` and `[target.<Table>]` with `name` and "
        "`columns`, by canonical names.\n"
    )
    yield "### `[assumptions]`\n"
    yield from _table("key", "default", "meaning")
    for name, field in Assumptions.model_fields.items():
        yield _row(f"`{name}`", f"`{field.get_default()}`", field.description)
    yield "\n### `[target.<Table>.policies.<column>]`\n"
    yield from _table("key", "default", "meaning")
    for name, field in ColumnPolicy.model_fields.items():
        yield _row(f"`{name}`", f"`{field.get_default().value}`", field.description)
    yield "\n### `[keys]`\n"
    yield (
        "The key table, from which keys of rows created in Ajera are taken; without it: an "
        "identity, else the highest plus one.\n"
    )
    yield from _table("key", "default", "meaning")
    for name, field in KeyTable.model_fields.items():
        default = "required" if field.is_required() else "`{}`"
        yield _row(f"`{name}`", default, field.description)
    yield ""


def _connectors() -> Iterator[str]:
    yield (
        "What `ajera-cdc connectors apply` sends to Kafka Connect, by source. `@{…}` is filled "
        "from the configuration.\n"
    )
    for title, dialect in (
        ("PostgreSQL", "postgres"),
        ("SQL Server", "sqlserver"),
    ):
        yield f"## {title}\n"
        yield from _table("setting", "value", "why")
        template = load("ajera", "postgres" if dialect == "postgres" else "sqlserver")
        for name, value in template.items():
            yield _row(f"`{name}`", f"`{value}`" if value else "", reason(name))
        yield ""


def _errors() -> Iterator[str]:
    yield from _table("code", "remedy", "exit code", "meaning", "what to do")
    for error in sorted(PipelineError.__subclasses__(), key=lambda error: error.code):
        if error.__module__ == PipelineError.__module__:
            yield _row(
                _page(error.code),
                error.remedy.value,
                int(error.exit_code),
                _meaning(error),
                error.hint,
            )
    yield ""
    yield PARKED
    yield from _table("code", "a row waits because", "what to do")
    rows = {reason.value: (reason.meaning, reason.hint) for reason in ParkReason}
    for error in PipelineError.__subclasses__():
        if error.remedy is Remedy.PARK:
            rows[error.code] = (_meaning(error), error.hint)
    for code, cells in sorted(rows.items()):
        yield _row(_page(code), *cells)
    yield ""


def _page(code: str) -> str:
    return f"[`{code}`](../runbook/{code}.md)"


def _meaning(error: type[PipelineError]) -> str:
    return " ".join((error.__doc__ or "").split())


def _metrics() -> Iterator[str]:
    yield (
        "Served by every consumer on `run.metrics_host`, `run.metrics_port` at `/metrics`, beside "
        "`/health` and `/ready`.\n"
    )
    yield from _table("name", "kind", "labels", "meaning", "what an operator does")
    for metric in METRICS:
        yield _row(
            f"`{metric.name}`",
            metric.kind,
            ", ".join(metric.labels),
            metric.meaning,
            metric.operator,
        )
    yield ""


def _mappings(route: AnyRoute) -> Iterator[str]:
    yield f"# {route.title}\n"
    yield from (_projection(route) if isinstance(route, Route) else _exchange())


def _exchange() -> Iterator[str]:
    yield EXCHANGE
    for table in exchanged(Site()):
        belongs = "" if table.belongs_to is None else f" Belongs to {table.belongs_to}."
        yield f"## {table.entity}: {table.ajera} and {table.dps}\n"
        yield f"Rows are created in {' and '.join(table.created_in)}.{belongs}\n"
        yield from _table("line", "Ajera", "DPS", "direction", "rule", "owner", "note")
        for line in table.lines:
            yield _row(
                line.name,
                line.ajera,
                line.dps,
                line.direction,
                line.rule,
                line.owner,
                line.note,
            )
        yield ""


def _projection(route: Route) -> Iterator[str]:
    yield f"{route.note}\n"
    for table in shown(Site(), route):
        yield f"## {table.name}: {table.source} to {table.target}\n"
        yield f"Switch: `routes.{route.name}.{table.entity}`. Rows: {table.only_if}. {table.note}\n"
        yield from _table(
            "source column(s)",
            f"{route.target_system} field",
            "written",
            "if it does not fit",
            "note",
            "assumptions",
        )
        for line in table.lines:
            rests_on = ", ".join(map(str, line.assumptions))
            yield _row(
                line.source,
                line.target,
                line.written,
                line.fit,
                line.note,
                rests_on,
            )
        yield ""
