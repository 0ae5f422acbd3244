"""Objects as the bindings show them: exactly the members their interface has in this version, and data behind them."""

from __future__ import annotations

from typing import Any

from vboxapi_stub.shapes import shapes
from vboxapi_stub.store import BAD_STATE, line, refuse


class Face:
    """`data` holds the attributes. `mutable` False: a machine that nobody locked, which may only be looked at."""

    interface = ""

    def __init__(self, data: dict[str, Any] | None = None, *, mutable: bool = True, **more: Any) -> None:
        self.__dict__.update(_data={} if data is None else data, _mutable=mutable, **more)

    def __getattr__(self, name: str) -> Any:
        kind = None if name.startswith("_") else shapes(line())[self.interface].get(name)
        if kind is None:
            raise AttributeError(f"XPCOM component '<unknown>' has no attribute '{name}'")
        if kind == "call":
            return object.__getattribute__(self, f"do_{name}")
        special = getattr(type(self), f"see_{name}", None)
        return special(self) if special else self._data[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if shapes(line())[self.interface].get(name) != "rw":
            raise AttributeError(f"XPCOM component '<unknown>' has no attribute '{name}'")
        self._may_change()
        old = self._data.get(name)
        if isinstance(old, bool | int) and not isinstance(value, bool | int):
            raise TypeError(f"{self.interface}.{name} takes a number, not {value!r}")
        if isinstance(old, str) and not isinstance(value, str):
            raise TypeError(f"{self.interface}.{name} takes a text, not {value!r}")
        special = getattr(type(self), f"put_{name}", None)
        if special:
            special(self, value)
        self._data[name] = value

    def _may_change(self) -> None:
        if not self._mutable:
            refuse(BAD_STATE, "The machine is not mutable (state is PoweredOff)")


class Plain(Face):
    """Attributes and nothing else; `interface` is given."""

    def __init__(self, interface: str, data: dict[str, Any], *, mutable: bool = True) -> None:
        super().__init__(data, mutable=mutable)
        self.__dict__["interface"] = interface


class Progress(Face):
    """Something that is done already, or failed."""

    interface = "IProgress"

    def __init__(self, result: int = 0, words: str = "") -> None:
        signed = result - (1 << 32) if result > 0x7FFFFFFF else result
        info = (
            Plain("IVirtualBoxErrorInfo", {"text": words, "resultCode": signed, "next": None})
            if result
            else None
        )
        super().__init__({
            "completed": True, "canceled": False, "percent": 100, "resultCode": signed, "errorInfo": info,
            "description": "", "operationCount": 1,
        })  # fmt: skip

    def do_waitForCompletion(self, _milliseconds: int) -> None:
        pass

    def do_cancel(self) -> None:
        pass
