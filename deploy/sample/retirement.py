"""The judge's memory of projects that were deleted or became phases: what PIM showed of them then,
and shows from then on.

Topics are read apart: what changed after a retirement may be read before it. Where somebody touched
what a project hung on after it was retired, the judge does not know what PIM shows,
and `history.doubtful` names the project.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from deploy.sample.naming import Naming, literal

# A phase does not overwrite what it was as a project.
OLD = "PERFORM history.retire(OLD.{AxProject.prjKey});"
NEW = """
    IF COALESCE(NEW.{AxProject.prjProject}, 0) NOT IN (0, NEW.{AxProject.prjKey})
        AND EXISTS (SELECT 1 FROM history."AxProject" WHERE "prjKey" = NEW.{AxProject.prjKey}
            AND ever_project) THEN
        PERFORM history.retire(NEW.{AxProject.prjKey});
        UPDATE history."AxProject" SET deleted = false WHERE "prjKey" = NEW.{AxProject.prjKey};
        RETURN NULL;
    END IF;
"""
CODES = r"""
CREATE INDEX ON history."AxProject" (lower(last_id));
CREATE INDEX ON history."AxProject" (lower(kept_code));
CREATE INDEX ON history."AxInvoiceGroup" ("igProject");
CREATE INDEX ON history."AxResource" ("resProject");
-- The ID or a generated code, with the key behind it so many times.
CREATE FUNCTION history.form(key integer, id text, times integer) RETURNS text LANGUAGE plpgsql
    IMMUTABLE AS $$
DECLARE
    code text := COALESCE(id, history.cut(replace(<generated>, '{key}', key::text), 50));
    tail text := '';
BEGIN
    FOR n IN 1..times LOOP
        tail := replace(replace(<duplicate>, '{key}', key::text), '{code}', tail); END LOOP;
    IF times > 0 THEN code := history.cut(code, 50 - char_length(tail)); END IF;
    FOR n IN 1..times LOOP
        code := replace(replace(<duplicate>, '{key}', key::text), '{code}', code); END LOOP;
    RETURN code;
END $$;
-- Who typed an ID has it, the lowest key first; every other code avoids what is typed;
-- a retired project keeps its own.
CREATE FUNCTION history.code(project integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT form FROM history."AxProject" AS p, generate_series(0, 9) AS times,
        LATERAL history.form(p."prjKey", p.last_id, times) AS form
    WHERE p."prjKey" = project
        AND NOT EXISTS (SELECT 1 FROM history."AxProject" AS o
            WHERE o."prjKey" <> project AND o.ever_project AND lower(o.last_id) = lower(form)
                AND (times > 0 OR p.last_id IS NULL OR o."prjKey" < project))
        AND NOT EXISTS (SELECT 1 FROM history."AxProject" AS o
            WHERE o."prjKey" <> project AND o.retired_at IS NOT NULL
                AND lower(o.kept_code) = lower(form))
    ORDER BY times LIMIT 1
$$;
"""
KEPT = """
CREATE TABLE history.kept_client (project integer PRIMARY KEY, "group" integer, client integer,
    "vecDescription" text,
    "vecAddress1" text, "vecAddress2" text, "vecCity" text, "vecState" text, "vecZip" text);
CREATE TABLE history.kept_role (project integer, resource integer, role text, person integer,
    is_employee boolean);
CREATE FUNCTION history.retire(project integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM history."AxProject" WHERE "prjKey" = project AND ever_project
        AND retired_at IS NULL;
    IF NOT FOUND THEN RETURN; END IF;
    DELETE FROM history.kept_client AS k WHERE k.project = retire.project;
    DELETE FROM history.kept_role AS k WHERE k.project = retire.project;
    INSERT INTO history.kept_client
        SELECT retire.project, g."igKey", c."vecKey", c."vecDescription", c."vecAddress1",
            c."vecAddress2", c."vecCity",
            c."vecState", c."vecZip"
        FROM history."AxInvoiceGroup" AS g LEFT JOIN history."AxVec" AS c
            ON c."vecKey" = g."igClient"
        WHERE g."igProject" = retire.project AND NOT g.deleted ORDER BY g."igKey" LIMIT 1;
    INSERT INTO history.kept_role SELECT retire.project, w.resource, w.role, w.person,
        v.ever_employee
        FROM history.wanted AS w JOIN history."AxVec" AS v ON v."vecKey" = w.person
            WHERE w.project = retire.project;
    UPDATE history."AxProject" SET kept_code = history.code(project), retired_at = clock_timestamp()
        WHERE "prjKey" = project;
END $$;
CREATE VIEW history.wanted AS
    SELECT "prjKey" AS project, NULL::integer AS resource, <manager> AS role,
        "prjProjectManager" AS person
        FROM history."AxProject" WHERE ever_project
    UNION ALL SELECT "prjKey", NULL, <principal>, "prjPrincipalInCharge" FROM history."AxProject"
        WHERE ever_project
    UNION ALL SELECT "prjKey", NULL, <marketing>, "prjMarketingContact" FROM history."AxProject"
        WHERE ever_project
    UNION ALL
    SELECT "prjKey", "resKey",
        CASE lower(history.cut(history.clean("resRole"), 100)) WHEN lower(<manager>) THEN <manager>
            WHEN lower(<principal>) THEN <principal> WHEN lower(<marketing>) THEN <marketing>
            ELSE history.cut(history.clean("resRole"), 100) END, "resEmployee"
    FROM history."AxResource" AS r JOIN history."AxProject" ON "prjKey" = "resProject"
    WHERE ever_project AND NOT r.deleted;
CREATE VIEW history.doubtful AS
    SELECT p."prjKey" AS project FROM history."AxProject" AS p LEFT JOIN history.kept_client AS k
        ON k.project = p."prjKey"
    WHERE p.retired_at IS NOT NULL AND (
        EXISTS (SELECT 1 FROM history."AxInvoiceGroup" AS g
            WHERE (g."igProject" = p."prjKey" OR g."igKey" = k."group")
                AND g.touched > p.retired_at)
        OR EXISTS (SELECT 1 FROM history."AxVec" AS v WHERE v."vecKey" = k.client
            AND v.touched > p.retired_at)
        OR EXISTS (SELECT 1 FROM history."AxResource" AS r WHERE r.touched > p.retired_at
            AND (r."resProject" = p."prjKey" OR r."resKey" IN
                (SELECT resource FROM history.kept_role AS o
                WHERE o.project = p."prjKey")))
        OR EXISTS (SELECT 1 FROM history.kept_role AS o JOIN history."AxVec" AS v
            ON v."vecKey" = o.person
            WHERE o.project = p."prjKey" AND v.touched > p.retired_at));
"""


def create(connection: psycopg.Connection, naming: Naming) -> None:
    """Functions, tables and views; before any row is there."""
    assumed = naming.assumptions
    words = {
        "generated": assumed["generated_code"],
        "duplicate": assumed["duplicate_code"],
        "manager": assumed["project_manager_role"],
        "principal": assumed["principal_role"],
        "marketing": assumed["marketing_role"],
    }
    for text in (CODES, KEPT):
        for word, value in words.items():
            text = text.replace(f"<{word}>", literal(value))  # noqa: PLW2901
        connection.execute(
            sql.SQL(text)
        )  # built from our own names and a profile, never from values
