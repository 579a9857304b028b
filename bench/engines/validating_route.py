"""The least a FastAPI service can do with a ticket event: validate it and answer 202.

Arguments: PORT. No broker, no masking, no acknowledgement to wait for.
"""

import sys

import uvicorn
from fastapi import FastAPI

from services.ingest.domain.posts import TicketPost

app = FastAPI()


@app.post("/v1/events", status_code=202)
async def accept(_: TicketPost) -> dict[str, int]:
    return {"accepted": 1}


def main() -> None:
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning")


if __name__ == "__main__":
    main()
