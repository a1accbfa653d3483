"""Settings: one TOML file with environment overrides, all faults reported at once, secrets never printed."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import tomli_w
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.domain.profile import name_faults
from pipeline.domain.routes import AJERA_TO_PIM
from pipeline.errors import ConfigurationInvalid, EditionUnsupported, ProfileInvalid
from pipeline.mapping.site import Site

ENVIRONMENT = "AJERA_CDC_"
DEFAULT_FILE = Path("ajera-cdc.toml")
# What a database URL says in its query that is no secret; the rest (odbc_connect, password, ...) is not shown.
PLAIN_QUERY: Final = frozenset({"driver", "encrypt", "trustservercertificate", "sslmode", "application_name"})


def _is_database_url(secret: SecretStr) -> SecretStr:
    try:
        backend = make_url(secret.get_secret_value()).get_backend_name()
    except (ArgumentError, ValueError):
        raise ValueError("is not a SQLAlchemy URL (dialect+driver://user:password@host/database)") from None
    if backend not in ("postgresql", "mssql"):
        raise ValueError("must begin with mssql+pyodbc:// or postgresql+psycopg://")
    return secret


def _holds_no_credentials(address: str) -> str:
    """An address is shown, logged and sent to Connect, so a password has no place in it."""
    if any("@" in urlsplit(one).netloc for one in address.split(",")):
        raise ValueError("must hold no user and password; there are keys for these")
    return address


def _table_of_text(value: Any) -> Any:
    """What an environment variable says of a table: TOML's inline form."""
    return tomllib.loads(f"x = {value}")["x"] if isinstance(value, str) else value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_database_url)]
Address = Annotated[str, AfterValidator(_holds_no_credentials)]
ClientSettings = Annotated[dict[str, SecretStr], BeforeValidator(_table_of_text)]


class Section(BaseModel):
    """A table of the file: unknown keys are faults, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, raw: Any) -> Any:
        """TOML has no null: an empty text in place of a value that may be missing means that it is."""
        if not isinstance(raw, dict):
            return raw
        optional = {field.alias or name for name, field in cls.model_fields.items() if field.default is None}
        return {name: value for name, value in raw.items() if not (value == "" and name in optional)}


class Ajera(Section):
    """The source."""

    edition: Literal["ajera", "ajeraCore", "ajeraCore + add-ons"] = Field(
        "ajera",
        description="Edition of Ajera. Deltek offers the PIM integration in full Ajera only; the others are refused.",
    )
    database: DatabaseUrl = Field(
        description="SQLAlchemy URL of the Ajera database: mssql+pyodbc://... in production, postgresql+psycopg://... for the sample."
    )
    db_schema: str | None = Field(
        None, alias="schema", description="Schema of Ajera's tables. Default: dbo on SQL Server, public on PostgreSQL."
    )

    version: str | None = Field(
        None,
        description="Version of Ajera, as Help > About shows it: below 8.09 DPS flows to Ajera only, from 8.09 both ways. Needed with [dps].",
    )
    own_schema: str = Field(
        "ajera_cdc", description="Schema of the one table of our own in the Ajera database (with [dps] only)."
    )


class Pim(Section):
    """The target."""

    database: DatabaseUrl = Field(description="SQLAlchemy URL of the PIM database, as for ajera.database.")
    db_schema: str | None = Field(
        None, alias="schema", description="Schema of PIM's tables. Default: dbo on SQL Server, public on PostgreSQL."
    )
    sync_schema: str = Field("sync", description="Schema of our own tables in the PIM database.")
    projects: bool = Field(default=True, description="Sync projects.")
    clients: bool = Field(default=True, description="Sync clients.")
    contacts: bool = Field(default=True, description="Sync contacts.")
    employees: bool = Field(default=True, description="Sync employees.")
    vendors: bool = Field(default=True, description="Sync vendors.")

    @model_validator(mode="after")
    def _something_is_on(self) -> Pim:
        if not self.entities:
            raise ValueError("every entity is switched off; switch one of projects, clients, ... on")
        return self

    @property
    def entities(self) -> frozenset[str]:
        """The entities that are switched on."""
        names = ("projects", "clients", "contacts", "employees", "vendors")
        return frozenset(name for name in names if getattr(self, name))


class Dps(Section):
    """The exchange with DPS/Vantagepoint. Without this section there is none."""

    database: DatabaseUrl = Field(description="SQLAlchemy URL of the DPS database, as for ajera.database.")
    db_schema: str | None = Field(
        None, alias="schema", description="Schema of DPS's tables. Default: dbo on SQL Server, public on PostgreSQL."
    )
    sync_schema: str = Field("sync", description="Schema of our own tables in the DPS database.")
    group: str = Field("ajera-cdc.ajera-dps", description="Consumer group of the exchange.")
    topic_prefix: str = Field("dps", description="Prefix of DPS's topics: <prefix>.<Table>.")
    dead_letter_topic: str = Field(
        "ajera-cdc.ajera-dps.dead", description="Topic of messages that cannot be processed."
    )
    connector_name: str = Field("dps", description="Name of the connector in Connect.")
    slot_name: str = Field("ajera_cdc_dps", description="PostgreSQL: name of the replication slot and publication.")
    source_host: str | None = Field(
        None, description="Host of the DPS database as Connect sees it, if it differs from dps.database."
    )
    source_port: int | None = Field(None, description="Port likewise.")
    source_password_expression: str = Field(
        "${env:AJERA_CDC_DPS_PASSWORD}", description="Where Connect finds the password of the DPS database."
    )
    contacts_per_firm: int = Field(
        5, ge=0, description="How many contacts of a firm are exchanged; 0 for any number (Vantagepoint 3.5 and later)."
    )
    contacts_per_project: int = Field(
        5,
        ge=0,
        description="How many contacts of a project are exchanged; 20 from Vantagepoint 3.5 on, 0 for any number.",
    )
    project_number: str = Field(
        "", description="Number of a project without a Project ID, such as AJ{key}; empty: it is parked."
    )
    employee_number: str = Field(
        "",
        description="Number of an employee created in DPS, such as E{key}; empty: it is parked (auto-numbering off).",
    )
    first_link: Literal["park", "ajera", "dps"] = Field(
        "park",
        description="Who wins where two filled rows are linked for the first time and no rule says so: parked, or a side.",
    )
    status_coding: Literal["none", "one_is_active", "zero_is_active"] = Field(
        "none",
        description="Which value of vecStatus and cntStatus is active; `check` counts rows by each. none: no status is written.",
    )
    clock_tolerance_seconds: float = Field(
        2.0, ge=0, description="Edits on both sides within this time count as simultaneous: the column's owner wins."
    )
    look_window_seconds: float = Field(
        3600.0,
        gt=0,
        description="How long after a row was looked at its events are checked against the row itself, in seconds.",
    )

    @field_validator("project_number", "employee_number")
    @classmethod
    def _names_the_key(cls, value: str) -> str:
        if value and "{key}" not in value:
            raise ValueError("must contain {key}, or two rows could get one number")
        return value


class Crm(Section):
    """The CRM sync beside PIM's."""

    enabled: bool = Field(
        default=False, description="Is Ajera's CRM sync on. Then PIM's employee phone map follows CRM's."
    )
    employee_mobile: Literal["vecPhone1", "vecPhone2"] = Field(
        "vecPhone2", description="Ajera column that CRM's map takes an employee's mobile number from."
    )
    employee_direct_dial: Literal["vecPhone1", "vecPhone2"] = Field(
        "vecPhone1", description="Ajera column that CRM's map takes an employee's direct dial from."
    )


class Kafka(Section):
    """The broker."""

    bootstrap: str = Field("127.0.0.1:9092", description="Broker addresses, host:port, comma-separated.")
    group: str = Field("ajera-cdc.ajera-to-pim", description="Consumer group of the route.")
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic", description="Group protocol: classic (cooperative) or consumer (KIP-848, brokers from 4.0)."
    )
    topic_prefix: str = Field("ajera", description="Prefix of the source topics: <prefix>.<Table>.")
    partitions: int = Field(4, ge=1, description="Partitions of each source topic when it is created.")
    replicas: int = Field(1, ge=1, description="Replicas of each topic when it is created; 3 in production.")
    retention_hours: int = Field(
        168, ge=1, description="Retention of the source topics when they are created, in hours."
    )
    dead_letter_topic: str = Field(
        "ajera-cdc.ajera-to-pim.dead", description="Topic of messages that cannot be processed."
    )
    client: ClientSettings = Field(
        default_factory=dict,
        description="Further librdkafka settings, such as security.protocol and sasl.password; in the environment an inline table.",
    )


class Registry(Section):
    """The schema registry."""

    kind: Literal["apicurio", "confluent"] = Field(
        "apicurio", description="Which registry the connector's converter talks to."
    )
    url: Address = Field(
        "http://127.0.0.1:8081/apis/ccompat/v7", description="Confluent-compatible address that the consumers ask."
    )
    converter_url: Address | None = Field(
        None,
        description="Address that the connector's converter asks. Default: url, for Apicurio with /apis/registry/v2.",
    )
    unknown_seconds: float = Field(
        300.0, gt=0, description="How long the registry may not know a message's schema before its partition halts."
    )
    client: ClientSettings = Field(
        default_factory=dict,
        description="Further settings of the registry client, such as basic.auth.user.info and ssl.ca.location; in the environment an inline table.",
    )


class Connect(Section):
    """Kafka Connect, which runs Debezium."""

    url: Address = Field("http://127.0.0.1:8083", description="Address of Connect's REST API.")
    timeout_seconds: float = Field(120.0, gt=0, description="How long a connector may take to run, in seconds.")
    username: str | None = Field(None, description="User of the REST API, if it wants one.")
    password: SecretStr | None = Field(None, description="Password of that user.")
    source_host: str | None = Field(
        None, description="Host of the Ajera database as Connect sees it, if it differs from ajera.database."
    )
    source_port: int | None = Field(None, description="Port likewise.")
    source_password_expression: str = Field(
        "${env:AJERA_CDC_SOURCE_PASSWORD}",
        description="Where Connect finds the password: an expression of one of its config providers.",
    )
    connector_name: str = Field("ajera", description="Name of the connector in Connect.")
    slot_name: str = Field("ajera_cdc", description="PostgreSQL: name of the replication slot and publication.")
    heartbeat_seconds: float = Field(5.0, gt=0, description="Time between heartbeats of the connector, in seconds.")


class Run(Section):
    """The consumer."""

    batch_size: int = Field(2000, ge=1, le=10_000, description="Most messages a batch.")
    poll_seconds: float = Field(0.1, gt=0, description="How long a poll waits for a first message, in seconds.")
    retry_first_seconds: float = Field(
        0.2, gt=0, description="First pause before a retry, in seconds; it doubles, with jitter."
    )
    retry_most_seconds: float = Field(
        30.0, gt=0, description="Longest pause between retries, in seconds. They never end."
    )
    waiting_retry_seconds: float = Field(
        60.0, gt=0, description="How often a parked row is tried without a cause, in seconds."
    )
    parked_limit: int = Field(10_000, ge=1, description="How many rows may wait before the consumer stops.")
    dead_letters_in_a_row: int = Field(
        20, ge=1, description="How many messages of a partition may be dead-lettered in a row before it halts."
    )
    dead_letter_share: float = Field(
        0.2, gt=0, le=1, description="Which share of a partition's last messages may be dead-lettered before it halts."
    )
    dead_letter_window: int = Field(500, ge=10, description="How many last messages that share is of.")
    clock_tolerance_seconds: float = Field(
        300.0, gt=0, description="How far the source's clock may be set back before it is taken for another source."
    )
    metrics_host: str = Field("127.0.0.1", description="Address that metrics, health and readiness are served on.")
    metrics_port: int = Field(9464, ge=0, le=65_535, description="Port likewise; 0 takes any free one.")


class Log(Section):
    """The log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is written.")
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="json lines, readable console lines, or console on a terminal and json elsewhere."
    )


class Settings(Section):
    """The whole file."""

    profile: Path | None = Field(
        None,
        description="Site profile (TOML): other table and column names, other assumptions. Relative to this file. Also: AJERA_CDC_PROFILE.",
    )
    ajera: Ajera
    pim: Pim
    dps: Dps | None = None
    crm: Crm = Crm()
    kafka: Kafka = Kafka()
    registry: Registry = Registry()
    connect: Connect = Connect()
    run: Run = Run()
    log: Log = Log()

    def exchange(self) -> Dps:
        """The section of the exchange. Raises ConfigurationInvalid if there is none, or no version of Ajera beside it."""
        if self.dps is None:
            raise ConfigurationInvalid("dps: there is no such section; without it nothing is exchanged with DPS.")
        if self.ajera.version is None:
            raise ConfigurationInvalid("ajera.version: is needed with [dps], since below 8.09 DPS flows to Ajera only.")
        return self.dps

    def site(self) -> Site:
        """The site profile, with the employee phone map of CRM when its sync is on. Raises ProfileInvalid."""
        raw: dict[str, Any] = {}
        if self.profile is not None:
            try:
                raw = _read(self.profile)
            except OSError as error:
                raise ProfileInvalid(f"{self.profile.name} cannot be read: {error.strerror}.") from error
            except ValueError as error:
                raise ProfileInvalid(f"{self.profile.name} {_not_toml(error)}.") from None
        try:
            site = Site.model_validate(raw)
        except ValidationError as error:
            raise ProfileInvalid("\n".join(_faults(error, Site))) from None
        faults = list(name_faults(AJERA_TO_PIM, site))
        if faults:
            raise ProfileInvalid("\n".join(faults))
        return self._with_phones_of_crm(site)

    def _with_phones_of_crm(self, site: Site) -> Site:
        if not self.crm.enabled:
            return site
        phones = {"employee_mobile": self.crm.employee_mobile, "employee_direct_dial": self.crm.employee_direct_dial}
        return site.model_copy(update={"assumptions": site.assumptions.model_copy(update=phones)})

    def shown(self) -> dict[str, Any]:
        """Everything, with secrets as ***."""
        return {name: _shown(value) for name, value in self.model_dump(by_alias=True).items()}


def _shown(value: Any) -> Any:
    match value:
        case dict():
            return {name: _shown(inner) for name, inner in value.items()}
        case SecretStr():
            return _shown_url(value.get_secret_value())
        case Path():
            return str(value)
        case _:
            return value


def _shown_url(text: str) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return "***"
    if url.get_backend_name() not in ("postgresql", "mssql"):
        return "***"
    secret = [name for name in url.query if name.lower() not in PLAIN_QUERY]
    shown = url.difference_update_query(secret).render_as_string(hide_password=True)
    hidden = "&".join(f"{name}=***" for name in secret)
    return f"{shown}{'&' if '?' in shown else '?'}{hidden}" if hidden else shown


def database_url(secret: SecretStr, key: str) -> URL:
    """A database URL of one of the two dialects. Raises ConfigurationInvalid without quoting it."""
    try:
        return make_url(_is_database_url(secret).get_secret_value())
    except ValueError as error:
        raise ConfigurationInvalid(f"{key}: {error}.") from None


def _read(file: Path) -> dict[str, Any]:
    """TOML as editors save it, with or without a byte order mark. Raises OSError, or ValueError for what is none."""
    return tomllib.loads(file.read_text(encoding="utf-8-sig"))


def _not_toml(error: ValueError) -> str:
    return f"is not TOML: {error}" if isinstance(error, tomllib.TOMLDecodeError) else "is not UTF-8: save it as such"


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings from the file, overridden by `AJERA_CDC_<SECTION>__<KEY>`. Raises ConfigurationInvalid with all faults."""
    file = path or Path(environ.get(f"{ENVIRONMENT}CONFIG", DEFAULT_FILE))
    try:
        raw = _read(file)
    except FileNotFoundError:
        raise ConfigurationInvalid(f"{file} is not there; `ajera-cdc config template` prints one to fill in.") from None
    except OSError as error:
        raise ConfigurationInvalid(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigurationInvalid(f"{file} {_not_toml(error)}.") from None
    try:
        settings = Settings.model_validate(_overridden(raw, environ))
    except ValidationError as error:
        raise ConfigurationInvalid("\n".join(_faults(error, Settings))) from None
    if settings.ajera.edition != "ajera":
        raise EditionUnsupported(f'ajera.edition is "{settings.ajera.edition}".')
    if settings.profile is None or settings.profile.is_absolute():
        return settings
    return settings.model_copy(update={"profile": file.parent / settings.profile})


def _overridden(raw: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The file's tables with the environment's values; a section that is no table is left for the model to refuse."""
    found = dict(raw)
    for name, value in environ.items():
        section, separator, key = name.removeprefix(ENVIRONMENT).lower().partition("__")
        if not name.startswith(ENVIRONMENT):
            continue
        if separator and isinstance(found.get(section, {}), dict):
            found[section] = {**found.get(section, {}), key: value}
        elif section == "profile":
            found[section] = value
    return found


def _faults(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """One line a fault: the key, and what is wrong with it. Never the value."""
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            known = _keys(model, fault["loc"][:-1])
            near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
            yield f"{place}: there is no such key{f'; did you mean {near[0]}?' if near else '.'}"
        else:
            yield f"{place}: {fault['msg'].removeprefix('Value error, ')}."


def _keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        inner = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


# -- documentation, generated from the model ------------------------------------------------------------------------


def keys() -> Iterator[tuple[str, str, FieldInfo]]:
    """Section ("" for the top), key and field of everything that can be set."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        section = Dps if section == Dps | None else section
        if isinstance(section, type) and issubclass(section, Section):
            yield from ((name, inner.alias or key, inner) for key, inner in section.model_fields.items())
        else:
            yield "", field.alias or name, field


def default_text(field: FieldInfo) -> str:
    """The default as TOML writes it; "required" or "none" where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "none" if value is None else tomli_w.dumps({"x": value}).strip().removeprefix("x = ").replace("[x]", "{}")


def template() -> str:
    """The file with every key documented in place; keys with a default are commented out."""
    lines = ["# ajera-cdc: settings. Every key can be overridden by the environment: AJERA_CDC_<SECTION>__<KEY>."]
    current = ""
    examples = {
        "ajera": "mssql+pyodbc://ajera_cdc:PASSWORD@SERVER/Ajera?driver=ODBC+Driver+18+for+SQL+Server",
        "pim": "mssql+pyodbc://ajera_cdc:PASSWORD@SERVER/PIM?driver=ODBC+Driver+18+for+SQL+Server",
        "dps": "mssql+pyodbc://ajera_cdc:PASSWORD@SERVER/Vantagepoint?driver=ODBC+Driver+18+for+SQL+Server",
    }
    optional: list[str] = []
    for section, key, field in keys():
        into, mark = (optional, "#") if section == "dps" else (lines, "")
        if section != current:
            current = section
            into += ["", f"{mark}[{section}]"]
        into += ["", f"# {field.description}"]
        default = default_text(field)
        if default == "required":
            into.append(f'{mark}{key} = "{examples[section]}"')
        else:
            into.append(f"{mark or '# '}{key} = {chr(34) * 2 if default == 'none' else default}")
    lines += ["", "# The exchange with DPS is optional: take away the # in front of [dps] and of the keys to be set."]
    return "\n".join(lines + optional) + "\n"


def reference() -> str:
    """Markdown of every key."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for section, key, field in keys():
        name = f"{section}.{key}" if section else key
        lines.append(f"| `{name}` | `{default_text(field)}` | {field.description} |")
    return "\n".join(lines) + "\n"
