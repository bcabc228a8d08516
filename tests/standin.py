"""A stand-in for OpenAI's Responses API on this computer: its "model" plays a written part, and minds what it is told.

It checks what the real service would refuse: a bearer token, tools as functions, an output for each call and no other.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# A tool with its arguments.
Call = tuple[str, dict[str, object]]


@dataclass
class Model:
    """Makes the calls in `part`, one a turn, then says `last`. `heard` is the output of each call, as it was told."""

    part: Sequence[Call]
    last: str
    # How a host spells the tools' names, or the namespace it puts a server's into.
    prefix: str = ""
    namespace: str | None = None
    heard: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def turn(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request: the next call, or the last word."""
        items = request["input"] if isinstance(request["input"], list) else []
        outputs = [item for item in items if item.get("type") == "function_call_output"]
        calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
        if [item["call_id"] for item in outputs] != calls:
            raise ValueError("No tool output found for function call")
        self.heard = [_text(item["output"]) for item in outputs]
        self.offered = list(_names(request.get("tools", []), self.namespace))
        number = len(outputs)
        return _message(self.last) if number == len(self.part) else self._call(number)

    def _call(self, number: int) -> dict[str, Any]:
        name, arguments = self.part[number]
        if self.prefix + name not in self.offered:
            raise ValueError(f"no tool {self.prefix + name} among {self.offered}")
        space = {"namespace": self.namespace} if self.namespace else {}
        return {
            **space,
            "type": "function_call",
            "id": f"fc_{number}",
            "call_id": f"call_{number}",
            "name": self.prefix + name,
            "arguments": json.dumps(arguments),
            "status": "completed",
        }


@contextmanager
def serving(model: Model) -> Iterator[str]:
    """Serve the model; give the base URL."""

    class Handler(_Handler):
        played = model

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    played: Model

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.path != "/v1/responses":
                raise ValueError(f"unknown path {self.path}")
            if not (self.headers.get("Authorization") or "").startswith("Bearer "):
                raise ValueError("Missing bearer authentication")
            item = self.played.turn(request)
        except (ValueError, KeyError) as error:
            self.played.troubles.append(repr(error))
            self._send(400, "application/json", json.dumps({"error": {"message": str(error)}}))
            return
        response = _response(request, item)
        if request.get("stream"):
            self._send(200, "text/event-stream", "".join(_events(response, item)))
        else:
            self._send(200, "application/json", json.dumps(response))

    def _send(self, status: int, kind: str, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _names(tools: Sequence[dict[str, Any]], namespace: str | None) -> Iterator[str]:
    """The functions that are offered, or those of one namespace."""
    for tool in tools:
        if tool["type"] == "namespace" and tool["name"] == namespace:
            yield from _names(tool["tools"], None)
        elif tool["type"] == "function" and namespace is None:
            if tool["parameters"]["type"] != "object":
                raise ValueError(f"schema of {tool['name']} is no object")
            yield tool["name"]


def _text(output: object) -> str:
    return output if isinstance(output, str) else json.dumps(output)


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def _response(request: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": request["model"],
        "output": [item],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {**usage, **details},
    }


def _events(response: dict[str, Any], item: dict[str, Any]) -> Iterator[str]:
    """The same as a stream of events."""
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    for number, event in enumerate(told):
        yield f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
