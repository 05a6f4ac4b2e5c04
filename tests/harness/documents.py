"""The GraphQL documents that the client sends: every field of the contract, once."""

BALANCE = "active promised held"
LIFETIME = "credited transferredIn transferredOut redeemed removed expired reversed"
ORDER = "id saleAmount saleChannel locationId"
PAGE_INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

WALLET = f"""
  id status createdAt balance {{ {BALANCE} }} lifetime {{ {LIFETIME} }}
  member {{ id identity }} program {{ id name }}
"""
HOLD = "id points captured released status expiresAt createdAt wallet { id }"
TRANSACTION = f"""
  id sequence kind points change {{ {BALANCE} }} balanceAfter {{ {BALANCE} }}
  source campaignId couponCode description activeAt expiresAt order {{ {ORDER} }} metadata
  related {{ id }} hold {{ id }} wallet {{ id }} effectiveAt createdAt
"""
PROGRAM = """
  id name pointsName expiry { rule count unit } activationDelay consumption
  rounding { decimals mode } timeZone maxBalance expiringSoonDays createdAt
"""
COUPON = """
  id code program { id name } points percentOfSale minimumSale totalLimit memberLimit
  startsAt endsAt redeemed
"""
MEMBER = "id identity name email phone timeZone attributes"
EVENT = """
  id cursor name ctSource walletId transactionId points source campaignId pointsDescription
  eventTimestamp pointsExpiry couponCode couponId saleChannel locationId saleAmount
  identity programId wallet { id } transaction { id }
"""
SUMMARY = """
  active promised held credited creditedBySource { source points }
  redeemed removed expired reversed
"""

# What an error of each type says beside its message and path.
DETAILS = {
    "InsufficientPoints": "available requested",
    "BalanceLimit": "maxBalance",
    "ExceedsOriginal": "remaining",
    "IdempotencyConflict": "transaction { id }",
    "CouponRefused": "reason",
}
POSTED = f"transaction {{ {TRANSACTION} }} wallet {{ {WALLET} }} replayed"
HELD = f"hold {{ {HOLD} }} {POSTED}"
SHORT, LIMIT, EXCEEDS, CONFLICT, REASON = DETAILS

# name: (what the payload holds, the errors that say more than message and path)
PAYLOADS: dict[str, tuple[str, tuple[str, ...]]] = {
    "createProgram": (f"program {{ {PROGRAM} }}", ()),
    "updateProgram": (f"program {{ {PROGRAM} }}", ()),
    "upsertMember": (f"member {{ {MEMBER} }}", ()),
    "eraseMember": ("erased", ()),
    "creditPoints": (POSTED, (CONFLICT, LIMIT)),
    "creditPointsBatch": ("", ()),
    "debitPoints": (POSTED, (CONFLICT, SHORT)),
    "holdPoints": (HELD, (CONFLICT, SHORT, EXCEEDS)),
    "captureHold": (HELD, (CONFLICT, SHORT, EXCEEDS)),
    "releaseHold": (HELD, (CONFLICT, SHORT, EXCEEDS)),
    "reverseCredit": (POSTED, (CONFLICT, SHORT, EXCEEDS)),
    "refundDebit": (POSTED, (CONFLICT, EXCEEDS, LIMIT)),
    "transferPoints": (
        f"sent {{ {TRANSACTION} }} received {{ {TRANSACTION} }} replayed",
        (CONFLICT, SHORT, LIMIT),
    ),
    "createCoupon": (f"coupon {{ {COUPON} }}", ()),
    "redeemCoupon": (POSTED, (CONFLICT, LIMIT, REASON)),
    "freezeWallet": (f"wallet {{ {WALLET} }}", ()),
}


def errors(*detailed: str) -> str:
    more = " ".join(f"... on {name} {{ {DETAILS[name]} }}" for name in detailed)
    return f"errors {{ __typename ... on UserError {{ message path }} {more} }}"


def mutation(name: str) -> str:
    """Return the whole document of one mutation, with all that its payload may tell."""
    fields, detailed = PAYLOADS[name]
    if name == "creditPointsBatch":
        item, of_item = PAYLOADS["creditPoints"]
        fields = f"results {{ {item} {errors(*of_item)} }}"
    title = name[0].upper() + name[1:]
    return (
        f"mutation {title}($input: {title}Input!) "
        f"{{ {name}(input: $input) {{ {fields} {errors(*detailed)} }} }}"
    )


def connection(node: str) -> str:
    return f"edges {{ cursor node {{ {node} }} }} {PAGE_INFO}"


BOTH_WAYS = "first: $first, after: $after, last: $last, before: $before"
BOTH_WAYS_DECLARED = "$first: Int, $after: String, $last: Int, $before: String"

BALANCE_AT = f"""query BalanceAt($ref: WalletRef!, $at: DateTime) {{
  wallet(ref: $ref) {{ balance(at: $at) {{ {BALANCE} }} }} }}"""
WALLET_BY_REF = f"query Wallet($ref: WalletRef!) {{ wallet(ref: $ref) {{ {WALLET} }} }}"
WALLETS = f"""query Wallets($filter: WalletFilter, {BOTH_WAYS_DECLARED}) {{
  wallets(filter: $filter, {BOTH_WAYS}) {{ {connection(WALLET)} }} }}"""
TRANSACTIONS = f"""query Transactions($filter: TransactionFilter, {BOTH_WAYS_DECLARED}) {{
  transactions(filter: $filter, {BOTH_WAYS}) {{ {connection(TRANSACTION)} }} }}"""
STATEMENT = f"""query Statement(
  $ref: WalletRef!, $filter: TransactionFilter, {BOTH_WAYS_DECLARED}) {{
  wallet(ref: $ref) {{
    transactions(filter: $filter, {BOTH_WAYS}) {{ {connection(TRANSACTION)} }} }} }}"""
HOLDS = f"""query Holds($ref: WalletRef!, $status: HoldStatus, $first: Int, $after: String) {{
  wallet(ref: $ref) {{
    holds(status: $status, first: $first, after: $after) {{ {connection(HOLD)} }} }} }}"""
EXPIRING = """query Expiring($ref: WalletRef!, $within: Duration) {
  wallet(ref: $ref) { expiring(within: $within) { points expiresAt } } }"""
TRANSACTION_BY_ID = f"query Transaction($id: ID!) {{ transaction(id: $id) {{ {TRANSACTION} }} }}"
PROGRAM_BY_NAME = f"query Program($name: String!) {{ program(name: $name) {{ {PROGRAM} }} }}"
COUPON_BY_CODE = f"query Coupon($code: String!) {{ coupon(code: $code) {{ {COUPON} }} }}"
PROGRAMS = f"""query Programs($first: Int, $after: String) {{
  programs(first: $first, after: $after) {{ {connection(PROGRAM)} }} }}"""
PROGRAM_WALLETS = f"""query ProgramWallets($name: String!, {BOTH_WAYS_DECLARED}) {{
  program(name: $name) {{ wallets({BOTH_WAYS}) {{ {connection(WALLET)} }} }} }}"""
PROGRAM_SUMMARY = f"""query Summary($name: String!, $from: DateTime, $to: DateTime) {{
  program(name: $name) {{ summary(from: $from, to: $to) {{ {SUMMARY} }} }} }}"""
MEMBER_BY_IDENTITY = (
    f"query Member($identity: String!) {{ member(identity: $identity) {{ {MEMBER} }} }}"
)
MEMBER_WALLETS = f"""query MemberWallets($identity: String!, $first: Int, $after: String) {{
  member(identity: $identity) {{
    wallets(first: $first, after: $after) {{ {connection(WALLET)} }} }} }}"""
EVENTS = f"""query Events($filter: PointsCreditedFilter, $first: Int, $after: String) {{
  pointsCreditedEvents(filter: $filter, first: $first, after: $after) {{
    {connection(EVENT)} }} }}"""
AUDIENCE = f"""query Audience(
  $program: String, $since: DateTime!, $minPoints: Points, $first: Int, $after: String) {{
  creditedNotRedeemed(
    program: $program, since: $since, minPoints: $minPoints, first: $first, after: $after
  ) {{ {connection(WALLET)} }} }}"""
AUDIT = f"""query Audit($filter: AuditFilter, {BOTH_WAYS_DECLARED}) {{
  auditLog(filter: $filter, {BOTH_WAYS}) {{
    {connection("id at actor keyId action subjectId requestId")} }} }}"""
HEALTH = "query Health { ledgerHealth { wallets transactions violations } }"
CURSOR = "query Cursor { eventCursor }"
SUBSCRIPTION = f"""subscription Credited($filter: PointsCreditedFilter, $after: String) {{
  pointsCredited(filter: $filter, after: $after) {{ {EVENT} }} }}"""
# All that a refusal must leave as it was.
EVERYTHING = f"""query Everything {{
  eventCursor
  ledgerHealth {{ wallets transactions violations }}
  programs(first: 100) {{ edges {{ node {{ {PROGRAM} }} }} }}
  wallets(first: 100) {{ edges {{ node {{ {WALLET} }} }} }}
  auditLog(first: 1) {{ edges {{ node {{ id }} }} }}
  channels {{ id disabled }}
  campaigns(first: 100) {{ edges {{ node {{ id name status version }} }} }}
  deliveries(first: 100) {{ edges {{ node {{ id status }} }} }}
}}"""
