"""Write the generated part of docs/catalog.md, the data dictionary, from the catalog's schema.

python docs/generate_reference.py
"""

from pathlib import Path

from pipeline.tables import SCHEMA_VERSION, catalog_schema

PAGE = Path(__file__).parent / "catalog.md"
BEGIN, END = "<!-- columns -->", "<!-- /columns -->"


def describe_columns() -> str:
    """Return the columns as a Markdown table."""
    lines = [f"Schema version {SCHEMA_VERSION}.", "", "| column | type | null | meaning |", "|---|---|---|---|"]
    for column in catalog_schema():
        kind = str(column.type).replace("double", "float64").replace("date32[day]", "date32")
        meaning = column.metadata[b"description"].decode()
        lines.append(f"| `{column.name}` | {kind} | {'yes' if column.nullable else ''} | {meaning} |")
    return "\n".join(lines)


def fill_page(text: str) -> str:
    """Return the page with its generated part made anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{describe_columns()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(fill_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
