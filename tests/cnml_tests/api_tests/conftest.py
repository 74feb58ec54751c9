"""The library started for each test, on the MLU100 and with everything of the thread put back afterwards."""
from __future__ import annotations

import pytest

from cnml import api
from cnml.api import session
from cnrt import device as devices
from cnrt.api import cnrtDestroy


@pytest.fixture
def library():
    """cnmlInit … cnmlExit."""
    before = devices.chosen_device()
    devices._thread.device = None
    api.cnmlInit(0)
    yield api
    session._live.clear()  # tests do not destroy everything, and that is not what they are about
    if session._state["started"]:
        api.cnmlExit()
    cnrtDestroy()
    devices._thread.device, devices._thread.channel = before, -1
