"""Coupons in the service and in the model: who used them, and which uses still stand."""

from dataclasses import dataclass, field

from tests.harness.coupons import create_coupon, redeemed
from tests.harness.coupons import redeem as ask_to_redeem
from tests.simulation.model import Wallet
from tests.simulation.records import Refused, Row
from tests.simulation.world import Made, World, wire_points

TOTAL_LIMIT = 5
MEMBER_LIMIT = 2
POINTS = 5_000


@dataclass
class Coupon:
    """A code of one program, and the credits that it gave."""

    code: str
    uses: list[Made] = field(default_factory=list[Made])

    def standing(self) -> list[Wallet]:
        """Return whose uses stand: those of whose credit something isn't reversed."""
        return [made.wallet for made in self.uses if not wholly_reversed(made)]

    def refusal(self, wallet: Wallet) -> str | None:
        """Return why it can't be redeemed into a wallet, if it can't."""
        standing = self.standing()
        if len(standing) >= TOTAL_LIMIT:
            return "TOTAL_LIMIT"
        own = [each for each in standing if each is wallet]
        return "MEMBER_LIMIT" if len(own) >= MEMBER_LIMIT else None


def wholly_reversed(made: Made) -> bool:
    lot = made.wallet.lots[made.wallet.rows[made.number].lot or 0]
    return lot.reversed == lot.issued


def offer(world: World, program: str) -> Coupon:
    """Create a program's coupon."""
    making = create_coupon(
        world.client,
        f"coupon of {program}",
        program=program,
        points=wire_points(POINTS),
        total_limit=TOTAL_LIMIT,
        member_limit=MEMBER_LIMIT,
    )
    return Coupon(world.run(making).code)


def redeem(world: World, coupon: Coupon, wallet: Wallet) -> None:
    reason = coupon.refusal(wallet)

    def credit(wallets: list[Wallet]) -> Row:
        if reason:
            raise Refused("CouponRefused")
        return wallets[0].credit(POINTS, world.now, None, None)

    row, answer = world.act(
        [wallet],
        credit,
        lambda key, _: ask_to_redeem(world.client, coupon.code, wallet.identity, key=key),
    )
    if answer.error == "CouponRefused":
        assert answer.details == {"reason": reason}
    if row is not None:
        world.remember(wallet, answer.posted.wallet_id)
        made = world.made(wallet, row, answer.id)
        world.memory.credits.append(made)
        coupon.uses.append(made)
        world.see([wallet])
    look_at(world, coupon)


def look_at(world: World, coupon: Coupon) -> None:
    """Compare how many uses stand."""
    with world.comparing():
        assert world.run(redeemed(world.client, coupon.code)) == len(coupon.standing())
