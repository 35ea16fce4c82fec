"""What ends a run of the suite before its cases can speak."""


class ContractError(Exception):
    """The suite cannot run; the message says what, which, and what now."""


class CaseError(ContractError):
    """A case file is not what docs/contract.md describes."""
