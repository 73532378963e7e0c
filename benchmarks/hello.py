"""The bare hello that the mock is compared with: one Starlette route, nothing else."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(_: Request) -> JSONResponse:
    """Answer."""
    return JSONResponse({"hello": "world"})


app = Starlette(routes=[Route("/", hello)])
