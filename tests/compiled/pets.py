"""A schema of everything that a compiled operation can meet, and nothing of points."""

from enum import Enum
from typing import Annotated, Any, NewType

import strawberry
from strawberry import UNSET, Info
from strawberry.permission import BasePermission
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from typing_extensions import override

Weight = NewType("Weight", int)


def print_weight(value: Any) -> str:
    if value < 0:
        raise ValueError("no weight is below nothing")
    return f"{value} g"


@strawberry.enum
class Color(Enum):
    RED = "r"
    BLUE = "b"


@strawberry.input
class Toy:
    name: str
    price: float = 1.5


@strawberry.input
class Wish:
    count: int = 3
    names: list[str] | None = None
    toy: Toy | None = None
    toys: list[Toy] = strawberry.field(default_factory=list)


@strawberry.input(one_of=True)
class Which:
    id: strawberry.ID | None = UNSET
    wish: Wish | None = UNSET


@strawberry.interface
class Pet:
    id: strawberry.ID


class Never(BasePermission):
    message = "nobody may"

    @override
    def has_permission(self, source: Any, info: Info[Any, Any], **kwargs: Any) -> bool:
        return False


@strawberry.type
class Cat(Pet):
    name: str
    color: Color
    lives: int | None
    weight: Weight
    likes: list["Cat | Dog"]
    extra: JSON | None = None

    @strawberry.field
    async def friend(self, info: Info[Any, Any], deep: int = 1) -> "Cat":
        info.context.append(("friend", self.name, deep))
        if deep > 3:
            raise ValueError("too deep")
        return cat(f"{self.name}{deep}")

    @strawberry.field
    def path(self, info: Info[Any, Any]) -> list[str]:
        return [str(key) for key in info.path.as_list()]

    @strawberry.field
    def maybe(self, *, later: bool) -> "Cat | None":
        async def give() -> Cat:
            return cat("late")

        return give() if later else None  # type: ignore[return-value]

    @strawberry.field(permission_classes=[Never])
    def secret(self) -> str | None:
        return "no"


@strawberry.type
class Dog(Pet):
    weight: float
    barks: list[int]
    tags: list[list[str | None]] | None = None


def dog(number: str, weight: float, barks: list[int], **more: Any) -> "Dog":
    return Dog(id=strawberry.ID(number), weight=weight, barks=barks, **more)


def cat(name: Any, **more: Any) -> Cat:
    given: dict[str, Any] = {"id": "1", "color": Color.RED, "lives": 9, "weight": 7, "likes": []}
    return Cat(name=name, **given | more)


async def later(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


@strawberry.type
class Query:
    @strawberry.field
    async def pets(self, n: int = 2) -> list[Cat | Dog]:
        found = [cat("Tom", likes=[dog("3", 1.0, [])])]
        return [*found, dog("2", 3, [1, 2], tags=[["a", None], []])][:n]

    @strawberry.field
    def pet(self) -> Pet | None:
        return dog("2", 3.5, [1, 2])

    @strawberry.field
    def odd(self) -> list[Cat | None]:
        found: list[Any] = [
            None,
            cat(None),
            cat("Kit", weight=-1),
            cat("Eve", color="green"),
            cat("Ann"),
        ]
        found += [later(cat("Bob")), later(ValueError("gone")), ValueError("here")]
        return found

    @strawberry.field
    def nothing(self) -> Cat:
        return None  # type: ignore[return-value]

    @strawberry.field
    def extras(self) -> list[Cat | None]:
        found: list[Any] = [{"a": 1}, ValueError("told"), later("late"), None]
        return [cat("Any", extra=each) for each in found]

    @strawberry.field
    def cast(self) -> list[Cat | Dog]:
        return [strawberry.cast(Dog, cat("Rex", weight=2.5))]  # type: ignore[list-item]

    @strawberry.field
    def generated(self) -> list[int]:
        return (each for each in (1, 2, 3))  # type: ignore[return-value]

    @strawberry.field
    def echo(self, wish: Wish, info: Info[Any, Any]) -> str:
        info.context.append(("echo", repr(wish), dict(info.variable_values)))
        return repr(wish)

    @strawberry.field
    def taken(self, wish: Wish, info: Info[Any, Any]) -> int:
        info.context.append(wish)
        return wish.count

    @strawberry.field
    def which(self, one: Which, color: Color = Color.BLUE) -> str:
        return f"{one} {color}"

    @strawberry.field
    async def fails(self, info: Info[Any, Any]) -> int | None:
        info.context.append("fails")
        raise ValueError("as it should")

    @strawberry.field
    def breaks(self) -> int:
        return later(ValueError("late"))  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def first(self, info: Info[Any, Any], n: int) -> int:
        info.context.append(("first", n))
        return n

    @strawberry.mutation
    def second(
        self, info: Info[Any, Any], wish: Annotated[Wish, strawberry.argument()]
    ) -> Cat | None:
        info.context.append(("second", wish.count))
        if wish.count < 0:
            raise ValueError("less than none")
        return cat("Tim")


SCALARS: dict[object, Any] = {Weight: strawberry.scalar(name="Weight", serialize=print_weight)}

schema = strawberry.Schema(
    Query, Mutation, types=[Cat, Dog], config=StrawberryConfig(scalar_map=SCALARS)
)
