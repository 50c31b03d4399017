from tests.tools.devices.conftest import doll

__all__ = ["doll"]
