"""Are several processes of one mind about every step? Here they are threads, with a sum over both in place of torch.distributed's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.memory import MemorySettings
from trainer.device import check_processes
from trainer.gradients import FullElsewhere, add_up, tell_full

Answer = TypeVar("Answer")


class Process:
    """One weight with a gradient, as a session holds it."""

    def __init__(self, gradient: float) -> None:
        self.weight = nn.Parameter(torch.ones(1))
        self.scaler = GradScaler("cpu", init_scale=4.0)
        optimizer = torch.optim.SGD([self.weight], 0.5)
        self.scaler.scale((self.weight * gradient).sum()).backward()
        trained = SimpleNamespace(parameters=(self.weight,), optimizer=optimizer, scaler=self.scaler)
        self.session: Any = SimpleNamespace(accelerator=SimpleNamespace(num_processes=2, device=torch.device("cpu")), trained=trained)

    def step(self) -> float:
        """The weight afterwards."""
        add_up(self.session, torch.tensor(1.0), stop=False)
        self.scaler.step(self.session.trained.optimizer)
        self.scaler.update()
        return self.weight.item()


def together(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], Answer]) -> list[Answer]:
    """What each gives, all at once."""
    barrier, given = Barrier(len(acts), timeout=60), list[Tensor]()

    def all_reduce(tensor: Tensor) -> None:
        given.append(tensor.clone())
        barrier.wait()
        tensor.copy_(torch.stack(given).sum(0))
        if barrier.wait() == 0:
            given.clear()
        barrier.wait()

    monkeypatch.setattr("torch.distributed.all_reduce", all_reduce)
    with ThreadPoolExecutor(len(acts)) as threads:
        return [future.result() for future in [threads.submit(act) for act in acts]]


def test_each_takes_the_step_of_the_mean_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    assert together(monkeypatch, Process(1.0).step, Process(3.0).step) == [0.0, 0.0]


def test_a_gradient_that_overflows_in_one_has_all_skip_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = (Process(1.0), Process(float("inf")))
    assert together(monkeypatch, *(one.step for one in processes)) == [1.0, 1.0]
    assert [one.scaler.get_scale() for one in processes] == [2.0, 2.0]


def test_one_whose_memory_is_full_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> str:
        tell_full(Process(1.0).session, torch.OutOfMemoryError("full"))
        return "full"

    def other() -> str:
        process = Process(1.0)
        with pytest.raises(FullElsewhere) as raised:
            process.step()
        tell_full(process.session, raised.value)  # as the loop does, and waits for nobody
        return "ended"

    assert together(monkeypatch, full, other) == ["full", "ended"]


def test_memory_is_saved_by_itself_in_one_process_only() -> None:
    check_processes(MemorySettings(auto_memory=True), 1)
    check_processes(MemorySettings(), 2)
    with pytest.raises(BadRequest, match=r"memory\.auto_memory is on, which only one process can do, and 2 train together"):
        check_processes(MemorySettings(auto_memory=True), 2)
