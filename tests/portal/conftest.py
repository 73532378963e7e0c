"""A small world in a store, whose clock stands still until a test moves it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from mock_server.clock import FixedClock
from mock_server.identifiers import Capacity, EnterpriseNumber
from mock_server.world.database import MEMORY
from mock_server.world.model import Enterprise, WorldState
from mock_server.world.store import Store
from mock_server.world.world import World
from tests.support import NOW

EMPLOYER = EnterpriseNumber("1999000150")
SECRETARIAT = EnterpriseNumber("1999000249")
TRAINER = EnterpriseNumber("1999000348")
PROVIDER = EnterpriseNumber("1999000447")
NOBODY = EnterpriseNumber("1999000546")

STATE = WorldState(
    enterprises=(
        Enterprise(EMPLOYER, "Employer", frozenset({Capacity.EMPLOYER})),
        Enterprise(SECRETARIAT, "Secretariat", frozenset({Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER})),
        Enterprise(TRAINER, "Trainer", frozenset({Capacity.TRAINING_PROVIDER})),
        Enterprise(PROVIDER, "Provider", frozenset({Capacity.SERVICE_PROVIDER, Capacity.EMPLOYER})),
    )
)


@pytest.fixture
def store_url() -> str:
    """Name the store that the tests run against."""
    return MEMORY


@pytest.fixture
def clock() -> FixedClock:
    """Make the clock of the world."""
    return FixedClock(NOW)


@pytest.fixture
def world(store_url: str, clock: FixedClock) -> Iterator[World]:
    """Make a world with four enterprises."""
    store = Store(store_url)
    yield store.create_world(STATE, clock)
    store.close()


@pytest.fixture
def delay(world: World) -> Callable[[float], None]:
    """Give a function that sets how many seconds a change in ChaMan takes."""

    def change(seconds: float) -> None:
        with world.changing():
            world.put_settings(replace(world.settings, activation_delay=seconds))

    return change
