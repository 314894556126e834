from __future__ import annotations

from amalthea.services.nbviewer.fetching.addresses import Gate


def test_a_named_host_with_its_port_is_admitted_and_trusted_there_alone() -> None:
    gate = Gate(allowed=["127.0.0.1:8080"], ports=[80, 443])
    assert gate.admits("127.0.0.1", 8080)
    assert gate.trusts("127.0.0.1", 8080)
    assert not gate.trusts("127.0.0.1", 80)
    assert not gate.admits("example.org", 8080)


def test_a_denied_name_is_not_admitted_even_with_a_dot_at_its_end() -> None:
    gate = Gate(denied=["nbviewer.example.org"], ports=[443])
    assert not gate.admits("nbviewer.example.org", 443)
    assert not gate.admits("nbviewer.example.org.", 443)
    assert gate.admits("example.org", 443)
