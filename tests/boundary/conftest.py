"""What all tests of doors share."""

from __future__ import annotations

import pytest

from symconv.audits.departure import AuditReport


@pytest.fixture(autouse=True)
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a door of an audit lets in is swept by the tests of audits, which takes a minute a framework."""
    monkeypatch.setattr("symconv.audits.audit.audited", lambda *_: AuditReport("SciPy", {}, (), (), 0, True))
