"""Values: the dataclasses that each request and each episode makes many of.

`frozen` is there for the type checker, which takes `dataclass` for the standard library's own and
lets nobody change what is frozen. At run time such a class takes two and a half times as long to
make as any other, and that was a twentieth of the host's work.
"""

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, *, frozen: bool = False, **options: Any) -> Any:
        """As the standard library's; what is frozen has the hash that it has there, too."""
        has_hash = frozen and options.get("eq", True)
        make = partial(dataclasses.dataclass, unsafe_hash=has_hash, **options)
        return make if cls is None else make(cls)
