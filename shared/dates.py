"""Dates as clients write them."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _iso_date(text: Any) -> Any:
    # pydantic alone would read 0 and "0" as 1970-01-01.
    if isinstance(text, date) or (isinstance(text, str) and ISO_DATE.fullmatch(text)):
        return text
    raise ValueError("use YYYY-MM-DD")


Day = Annotated[date, BeforeValidator(_iso_date, json_schema_input_type=date)]
