"""What does a browser get that opens the standalone server's address? A plain page that holds the tab and nothing else."""

from __future__ import annotations

from fastapi import APIRouter, Response

from lib_extension.api.answers import guarded_route
from lib_extension.api.guard import Guard
from lib_extension.api.router import PREFIX

# Addresses are relative, so that the page works below another path, too.
_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Atelier</title>
<link rel="icon" href="{files}/favicon.svg">
<link rel="stylesheet" href="{files}/style.css">
<link rel="modulepreload" href="{files}/main.mjs">
<style>body {{ margin: 0 }} .atelier {{ min-height: 100vh; border-radius: 0 !important }}</style>
</head>
<body>
<div id="atelier_root" class="atelier" data-modules="{files}/main.mjs" data-host="standalone"></div>
<noscript>Atelier's interface needs JavaScript. The routes at {prefix} and the command line work without.</noscript>
<script type="module" src="{files}/main.mjs"></script>
</body>
</html>
"""
_HEADERS = {
    "Cache-Control": "no-cache",
    # Nothing comes from elsewhere, and no other site may show the page inside its own.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def make_page(credentials: tuple[str, ...], version: str) -> APIRouter:
    """The page at "/", for those whom the routes serve. `version`: of the tab's files."""
    router = APIRouter(route_class=guarded_route(Guard(credentials)))
    html = _HTML.format(files=f"{PREFIX[1:]}/ui/{version}", prefix=PREFIX)

    @router.get("/", include_in_schema=False)
    async def page() -> Response:
        return Response(html, media_type="text/html; charset=utf-8", headers=_HEADERS)

    return router
