"""A table with rich and a command line with typer."""
import io

import typer
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

table = Table(title="Sales")
table.add_column("Region")
table.add_column("Units", justify="right")
table.add_row("North", "12")
table.add_row("South", "[bold]7[/bold]")
memory = io.StringIO()
Console(file=memory, width=40, force_terminal=False).print(table)
print("\n".join(line.rstrip() for line in memory.getvalue().splitlines()))
app = typer.Typer()


@app.command()
def hello(name: str, times: int = 1):
    for _ in range(times):
        typer.echo(f"hello {name}")


print(CliRunner().invoke(app, ["Ann", "--times", "2"]).output, end="")
