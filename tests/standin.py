"""A stand-in on this computer for OpenAI's Responses API and Anthropic's Messages API: a "model" that plays a written part.

It checks what the real services would refuse: no key, tools that are no functions, a call without its output.
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

    def message(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the Messages API: the next call, or the last word."""
        self.offered = [tool["name"] for tool in request.get("tools", [])]
        if not self.offered:
            return {"type": "text", "text": "A title"}
        if self.prefix + self.part[0][0] not in self.offered:
            return {"type": "tool_use", "id": "toolu_wait", "name": "WaitForMcpServers", "input": {}}
        contents = [each["content"] for each in request["messages"] if isinstance(each["content"], list)]
        results = [part for content in contents for part in content if part["type"] == "tool_result"]
        self.heard = [_text(each["content"]) for each in results if each["tool_use_id"] != "toolu_wait"]
        if len(self.heard) == len(self.part):
            return {"type": "text", "text": self.last}
        name, arguments = self.part[len(self.heard)]
        call = {"id": f"toolu_{len(self.heard)}", "name": self.prefix + name, "input": arguments}
        return {"type": "tool_use", **call}

    def turn(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the Responses API: the next call, or the last word."""
        items = request["input"] if isinstance(request["input"], list) else []
        outputs = [item for item in items if item.get("type") == "function_call_output"]
        calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
        if [item["call_id"] for item in outputs] != calls:
            raise ValueError("No tool output found for function call")
        self.heard = [_text(item["output"]) for item in outputs]
        self.offered = list(_names(request.get("tools", []), self.namespace))
        if not request.get("tools"):
            return _message("A title")
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
            if not (self.headers.get("Authorization") or self.headers.get("x-api-key")):
                raise ValueError("no key")
            if self.path.partition("?")[0] == "/v1/messages":
                block = self.played.message(request)
                self._send(200, "text/event-stream", "".join(_message_events(request["model"], block)))
                return
            if self.path != "/v1/responses":
                raise ValueError(f"unknown path {self.path}")
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

    def do_HEAD(self) -> None:
        self._send(200, "text/plain", "")

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
        *_deltas(item),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    for number, event in enumerate(told):
        yield f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"


def _deltas(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if item["type"] == "message":
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        yield {"type": "response.output_text.delta", **place, "delta": item["content"][0]["text"]}


def _message_events(model: str, block: dict[str, Any]) -> Iterator[str]:
    """A message of one block, as the Messages API streams it."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "usage": usage,
    }
    begun: dict[str, Any]
    if block["type"] == "text":
        begun, stop = {"type": "text", "text": ""}, "end_turn"
        delta = {"type": "text_delta", "text": block["text"]}
    else:
        begun, stop = {**block, "input": {}}, "tool_use"
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": begun},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    for event in told:
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
