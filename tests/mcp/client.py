"""One visit by the official Python SDK: client.py URL ERA, the key in GATEHOUSE_KEY.

ERA is "legacy", "auto" or a revision. Lists the tools, calls each CALL given on standard input
({"name", "arguments"} a line) and prints what came of it as one JSON object.
"""
import asyncio
import json
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def visit(url, era, calls):
    headers = {"Authorization": f"Bearer {os.environ['GATEHOUSE_KEY']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=era) as client:
            listed = await client.list_tools()
            results = []
            for call in calls:
                result = await client.call_tool(call["name"], call.get("arguments", {}))
                results.append({
                    "error": bool(result.is_error),
                    "text": "\n".join(part.text for part in result.content if part.type == "text"),
                })
            return {
                "version": client.protocol_version,
                "tools": sorted(tool.name for tool in listed.tools),
                "results": results,
            }


given = [json.loads(line) for line in sys.stdin if line.strip()]
print(json.dumps(asyncio.run(visit(sys.argv[1], sys.argv[2], given))))
