"""The numbers of a visit and of a window: what became of the records. One model for everything that shows them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

type Verification = Literal["verified", "unverified"]


class VisitNumbers(BaseModel):
    """What became of the records of a visit's `data` parts: `fetched` = rows + rejects + outside + duplicates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The provider's own total; None where it gives none.
    announced: int | None = None
    fetched: int = 0
    rows: int = 0
    rejects: int = 0
    outside: int = 0
    duplicates: int = 0
    strays: int = 0

    def __add__(self, other: "VisitNumbers") -> "VisitNumbers":
        more = other.model_dump()
        both = {name: value if more[name] is None else (value or 0) + more[name] for name, value in self}
        return VisitNumbers(**both)

    @property
    def verified(self) -> bool:
        """Whether the provider's own total says that the visit is complete."""
        return self.announced is not None and self.announced == self.fetched and not self.strays


class WindowNumbers(VisitNumbers):
    """The numbers of a window's newest good visit, except that `rows` counts the rows of its object.

    So `fetched` = (rows - kept) + rejects + outside + duplicates.
    """

    #: Rows that came after the first visit.
    late: int = 0
    verification: Verification = "unverified"

    @computed_field  # type: ignore[prop-decorator] # as pydantic documents it
    @property
    def kept(self) -> int:
        """Rows of the object that the newest good visit did not return; computed, so older items have it too."""
        return self.rows + self.rejects + self.outside + self.duplicates - self.fetched

    def after(
        self, visit: VisitNumbers, *, rows: int, late: int, verification: Verification | None = None
    ) -> "WindowNumbers":
        """Return the numbers after one more visit: the object has `rows` now, `late` of them were added late."""
        return WindowNumbers(
            **visit.model_dump(exclude={"rows"}),
            rows=rows,
            late=self.late + late,
            verification=verification or self.verification,
        )
