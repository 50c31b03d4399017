# The doll's tools for the relay: JSON-RPC 2.0 as the Model Context Protocol has it, with the names
# that xiaozhi's boards use.

_PROTOCOL = "2024-11-05"

_NO_METHOD = -32601
_BAD_PARAMS = -32602

_LONGEST_ID = 64

_LEVEL = {"type": "integer", "minimum": 0, "maximum": 100}


def _tool(name, description, argument=None):
    schema = {"type": "object", "properties": {}}
    if argument:
        schema["properties"][argument] = _LEVEL
        schema["required"] = [argument]
    return {"name": name, "description": description, "inputSchema": schema}


# The answer to a payload, or None if it wants none. doll has status() -> dict, set_volume(0-100)
# and set_brightness(0-100).
def answer(payload, doll, version):
    if not isinstance(payload, dict):
        return None
    request = payload.get("id")
    if not isinstance(request, (int, str)) or len(str(request)) > _LONGEST_ID:
        return None  # a notification, or no request
    method = payload.get("method")
    params = payload.get("params")
    if not isinstance(params, dict):
        params = {}
    if method == "initialize":
        result = {
            "protocolVersion": _PROTOCOL,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "talking-doll", "version": version},
        }
    elif method == "tools/list":
        result = {
            "tools": [
                _tool("self.get_device_status", "Volume, light and Wi-Fi signal of the doll"),
                _tool("self.audio_speaker.set_volume", "Sets the volume, 0-100", "volume"),
                _tool("self.light.set_brightness", "Sets the light, 0-100", "brightness"),
            ]
        }
    elif method == "tools/call":
        return _call(request, params, doll)
    else:
        return _error(request, _NO_METHOD, "no such method")
    return {"jsonrpc": "2.0", "id": request, "result": result}


def _call(request, params, doll):
    name = params.get("name")
    arguments = params.get("arguments")
    if not isinstance(arguments, dict):
        arguments = {}
    if name == "self.get_device_status":
        import json

        text = json.dumps(doll.status())
    elif name == "self.audio_speaker.set_volume" and _is_level(arguments.get("volume")):
        doll.set_volume(arguments["volume"])
        text = "true"
    elif name == "self.light.set_brightness" and _is_level(arguments.get("brightness")):
        doll.set_brightness(arguments["brightness"])
        text = "true"
    else:
        return _error(request, _BAD_PARAMS, "no such tool, or bad arguments")
    content = [{"type": "text", "text": text}]
    return {"jsonrpc": "2.0", "id": request, "result": {"content": content, "isError": False}}


def _is_level(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100


def _error(request, code, text):
    return {"jsonrpc": "2.0", "id": request, "error": {"code": code, "message": text}}
