"""Data checked by types with pydantic."""
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError, field_validator


class Item(BaseModel):
    name: str = Field(min_length=1)
    price: Annotated[float, Field(gt=0)]
    bought: date | None = None

    @field_validator("name")
    @classmethod
    def plain(cls, value):
        return value.strip().title()


print(Item.model_validate_json('{"name": " tea ", "price": "4.5", "bought": "2024-03-01"}'))
try:
    Item(name="", price=-1)
except ValidationError as error:
    print([(problem["loc"], problem["type"]) for problem in error.errors()])
print(sorted(Item.model_json_schema()["properties"]))
