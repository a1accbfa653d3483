-- Ajera's tables as far as they are known, PIM's, and the registry's database.
-- Written by `python -m deploy.sample.script`; a test keeps it up to date.
CREATE DATABASE registry;
CREATE DATABASE ajera;
CREATE DATABASE pim;
\connect ajera
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'rows would vanish without an event each: use DELETE';
END $$;
CREATE TABLE "AxVec" (
    "vecKey" integer PRIMARY KEY,
    "vecDescription" text,
    "vecFirstName" text,
    "vecMiddleName" text,
    "vecLastName" text,
    "vecTitle" text,
    "vecEmail" text,
    "vecPhone1" text,
    "vecPhone2" text,
    "vecFax" text,
    "vecWebsite" text,
    "vecAddress1" text,
    "vecAddress2" text,
    "vecAddress3" text,
    "vecCity" text,
    "vecState" text,
    "vecZip" text,
    "vecIsClient" boolean NOT NULL DEFAULT false,
    "vecIsVendor" boolean NOT NULL DEFAULT false,
    "vecIsEmployee" boolean NOT NULL DEFAULT false,
    "vecStatus" smallint,
    "vecClientNotes" text
);
CREATE TRIGGER refuse BEFORE TRUNCATE ON "AxVec" EXECUTE FUNCTION refuse_truncate();
CREATE TABLE "AxContact" (
    "cntKey" integer PRIMARY KEY,
    "cntFirstName" text,
    "cntMiddleName" text,
    "cntLastName" text,
    "cntTitle" text,
    "cntEmail" text,
    "cntPhone1" text,
    "cntPhone2" text,
    "cntClient" integer,
    "cntVendor" integer,
    "cntNotes" text
);
CREATE TRIGGER refuse BEFORE TRUNCATE ON "AxContact" EXECUTE FUNCTION refuse_truncate();
CREATE TABLE "AxProject" (
    "prjKey" integer PRIMARY KEY,
    "prjID" text,
    "prjDescription" text,
    "prjNotes" text,
    "prjStatus" integer NOT NULL,
    "prjProject" integer,
    "prjProjectManager" integer,
    "prjPrincipalInCharge" integer,
    "prjMarketingContact" integer,
    "prjOrder" integer,
    "prjLaborContractAmount" numeric(19,4),
    "prjActualStartDate" timestamp
);
CREATE TRIGGER refuse BEFORE TRUNCATE ON "AxProject" EXECUTE FUNCTION refuse_truncate();
CREATE TABLE "AxInvoiceGroup" (
    "igKey" integer PRIMARY KEY,
    "igProject" integer,
    "igClient" integer,
    "igDescription" text
);
CREATE TRIGGER refuse BEFORE TRUNCATE ON "AxInvoiceGroup" EXECUTE FUNCTION refuse_truncate();
CREATE TABLE "AxResource" (
    "resKey" integer PRIMARY KEY,
    "resProject" integer,
    "resEmployee" integer,
    "resRole" text
);
CREATE TRIGGER refuse BEFORE TRUNCATE ON "AxResource" EXECUTE FUNCTION refuse_truncate();
\connect pim
CREATE TABLE "Project_Status" ("Name" varchar(50) PRIMARY KEY, "Completed" boolean);
CREATE TABLE "Role_Type" ("Name" varchar(100) PRIMARY KEY);
CREATE TABLE "Organization" (
    "Organization ID" varchar(30) PRIMARY KEY, "Name" varchar(100) NOT NULL,
    "Address" varchar(500), "Post Code" varchar(20), "Phone Number" varchar(50),
    "Fax Number" varchar(50), "Web Address" varchar(255), "E-mail" varchar(255)
);
CREATE TABLE "Contact" (
    "Contact ID" varchar(30) PRIMARY KEY, "Organization ID" varchar(30) REFERENCES "Organization",
    "Forename" varchar(50), "Middle Names" varchar(50), "Surname" varchar(50),
    "Title" varchar(20), "Job Title" varchar(100), "E-mail" varchar(255),
    "Mobile" varchar(50), "Direct Dial" varchar(50), "Created Date" timestamptz,
    "Document Initials" varchar(10)
);
CREATE TABLE "Project" (
    "Project ID" varchar(30) PRIMARY KEY, "Project Code" varchar(50) NOT NULL UNIQUE,
    "Name" varchar(100) NOT NULL, "Description" text,
    "Status" varchar(50) NOT NULL REFERENCES "Project_Status", "Client" varchar(100),
    "Client Address 1" varchar(100), "Client Address 2" varchar(100), "City" varchar(50),
    "State" varchar(50), "Zip" varchar(20)
);
CREATE TABLE "Project_Contact" (
    "Project ID" varchar(30) REFERENCES "Project",
    "Role Type" varchar(100) REFERENCES "Role_Type",
    "Contact ID" varchar(30) REFERENCES "Contact",
    PRIMARY KEY ("Project ID", "Role Type", "Contact ID")
);
