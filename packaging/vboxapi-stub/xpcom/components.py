"""Where vboxapi gets its first two objects from."""

from vboxapi_stub.box import Client
from vboxapi_stub.session import Session


class _Class:
    def __init__(self, make):
        self._make = make

    def createInstance(self):
        return self._make()


class interfaces:
    IEventListener = object


classes = {
    "@virtualbox.org/Session;1": _Class(Session.fresh),
    "@virtualbox.org/VirtualBoxClient;1": _Class(Client),
}
