"""The worlds of what answers an attack: a security group with its network ACL, logs, and accounts of a user pool."""

from collections.abc import Callable
from typing import Any

from activities.action import ChangeAction
from activities.aws.identity.cognito_disable_users import DisableUsers
from activities.aws.identity.cognito_require_mfa import RequireMfa
from activities.aws.identity.cognito_reset_passwords import ResetPasswords
from activities.aws.identity.cognito_sign_out_users import SignOutUsers
from activities.aws.network.ec2_restrict_network import RestrictNetwork
from activities.aws.observability.logging_extend import ExtendLogging
from tests.activities.change_worlds import ChangeWorld, Worlds
from tests.activities.scopes import environment, scope
from tests.activities.world import WorldClients, create_ledger

ATTACKERS = ("198.51.100.7/32", "2001:db8::7/128")
_VISIBLE = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


def restriction(**params: Any) -> ChangeWorld:
    """Port 22 is open to the world, described and tagged; entry 10 of the network ACL denies somebody already."""
    clients = WorldClients()
    create_ledger(clients)
    ec2 = clients.inner.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group, other = (
        ec2.create_security_group(GroupName=name, Description="tasks", VpcId=vpc)["GroupId"] for name in ("one", "two")
    )
    acl = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=10, Protocol="-1", RuleAction="deny", Egress=False, CidrBlock="203.0.113.200/32"
    )
    tag = {"ResourceType": "security-group-rule", "Tags": [{"Key": "owner", "Value": "devops"}]}
    for permission, tags in (
        (open_to("0.0.0.0/0", 22, "administration"), [tag]),
        (open_to("0.0.0.0/0", 443, "the portal"), []),
        (open_to("203.0.113.0/24", 22, "the office"), []),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]}, []),
    ):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission], TagSpecifications=tags)

    def snapshot() -> Any:
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
        rules = [{k: v for k, v in one.items() if k != "SecurityGroupRuleId"} for one in rules["SecurityGroupRules"]]
        return sorted(map(str, rules)), sorted(map(str, entries))

    asked = {"security_group": "tasks", "cidr": "0.0.0.0/0", "port": 22, "network_acl": "edge", "addresses": ATTACKERS}
    return ChangeWorld(
        clients=clients,
        change=RestrictNetwork(clients),
        snapshot=snapshot,
        meddle=lambda: ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=11, Protocol="-1", RuleAction="allow", Egress=False, CidrBlock="192.0.2.1/32"
        ),
        scope=scope(environment=environment(security_groups={"tasks": group}, network_acls={"edge": acl})),
        params=params or asked,
    )


def open_to(source: str, port: int, description: str) -> dict[str, Any]:
    """A permission of one port for one source."""
    ranges = [{"CidrIp": source, "Description": description}]
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}


def logging(retention: int | None = 30) -> ChangeWorld:
    """Nothing logs yet but the backend, whose lines are kept for `retention` days; the WAF's are kept for ever."""
    clients = WorldClients()
    create_ledger(clients)
    wafv2, ec2, logs, s3 = (clients.inner.client(name) for name in ("wafv2", "ec2", "logs", "s3"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    where = environment(networks={"main": {"vpc_id": vpc}})
    bucket, acl, backend = where.buckets["audit-logs"], where.web_acls["portal"], where.services["backend"].log_group
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": where.region})
    arn = wafv2.create_web_acl(
        Name=acl.name, Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=_VISIBLE
    )["Summary"]["ARN"]
    for group in (acl.log_group, backend):
        logs.create_log_group(logGroupName=group)
    if retention is not None:
        logs.put_retention_policy(logGroupName=backend, retentionInDays=retention)

    def snapshot() -> Any:
        configured = wafv2.list_logging_configurations(Scope="REGIONAL")["LoggingConfigurations"]
        flows = ec2.describe_flow_logs()["FlowLogs"]
        kept = {one["logGroupName"]: one.get("retentionInDays") for one in logs.describe_log_groups()["logGroups"]}
        return (
            [(one["ResourceArn"], one["LogDestinationConfigs"]) for one in configured],
            [(one["ResourceId"], one["LogDestination"]) for one in flows],
            kept,
        )

    def meddle() -> None:
        wafv2.put_logging_configuration(
            LoggingConfiguration={"ResourceArn": arn, "LogDestinationConfigs": [f"arn:aws:s3:::aws-waf-logs-{bucket}"]}
        )
        logs.put_retention_policy(logGroupName=backend, retentionInDays=7)

    return ChangeWorld(
        clients=clients,
        change=ExtendLogging(clients),
        snapshot=snapshot,
        meddle=meddle,
        scope=scope(environment=where),
        params={"web_acl": "portal", "network": "main", "bucket": "audit-logs", "services": ["backend"], "days": 365},
    )


class Pool:
    """A user pool that may send text messages, and accounts in it; all that `snapshot` tells is theirs."""

    def __init__(self, clients: WorldClients, accounts: int, **attributes: str) -> None:
        create_ledger(clients)
        self.client: Any = clients.inner.client("cognito-idp")
        self.id = self.client.create_user_pool(
            PoolName="patients", UsernameAttributes=["email"], MfaConfiguration="OPTIONAL"
        )["UserPool"]["Id"]
        self.client.set_user_pool_mfa_config(
            UserPoolId=self.id,
            MfaConfiguration="OPTIONAL",
            SmsMfaConfiguration={
                "SmsAuthenticationMessage": "Your code is {####}",
                "SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"},
            },
            SoftwareTokenMfaConfiguration={"Enabled": False},
        )
        flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        made = self.client.create_user_pool_client(UserPoolId=self.id, ClientName="portal", ExplicitAuthFlows=flows)
        self.app = made["UserPoolClient"]["ClientId"]
        self.subs = sorted(self.account(f"patient-{number}@example.com", **attributes) for number in range(accounts))

    def account(self, mail: str, **attributes: str) -> str:
        given = {
            "email_verified": "true",
            "phone_number": "+61491570006",
            "phone_number_verified": "true",
            **attributes,
        }
        listed = [{"Name": name, "Value": value} for name, value in given.items()]
        made = self.client.admin_create_user(UserPoolId=self.id, Username=mail, UserAttributes=listed)
        sub = str(made["User"]["Username"])
        self.client.admin_set_user_password(UserPoolId=self.id, Username=sub, Password="Secret-123", Permanent=True)
        return sub

    def get(self, sub: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.admin_get_user(UserPoolId=self.id, Username=sub)
        return found

    def snapshot(self) -> Any:
        users = self.client.list_users(UserPoolId=self.id)["Users"]
        config = self.client.get_user_pool_mfa_config(UserPoolId=self.id)
        seen = {one["Username"]: self.get(one["Username"]) for one in users}
        kept = ("Enabled", "UserStatus", "UserMFASettingList", "PreferredMfaSetting")
        factors = {sub: {name: one.get(name) for name in kept} for sub, one in sorted(seen.items())}
        return factors, {name: value for name, value in config.items() if name != "ResponseMetadata"}


def accounts(change: type[ChangeAction[Any]], meddle: Callable[[Pool], Any], **params: Any) -> ChangeWorld:
    """Three accounts of which a change is asked for two."""
    clients = WorldClients()
    pool = Pool(clients, accounts=3)
    return ChangeWorld(
        clients=clients,
        change=change(clients),
        snapshot=pool.snapshot,
        meddle=lambda: meddle(pool),
        scope=scope(environment=environment(user_pools={"patients": pool.id})),
        params=params or {"user_pool": "patients", "users": pool.subs[:2]},
    )


def everybody() -> ChangeWorld:
    """The whole pool is asked for a second factor."""
    return accounts(RequireMfa, lambda _pool: None, user_pool="patients", pool_wide=True)


def _delete_last(pool: Pool) -> None:
    """Somebody deletes the second account."""
    pool.client.admin_delete_user(UserPoolId=pool.id, Username=pool.subs[1])


def _disable_first(pool: Pool) -> None:
    pool.client.admin_disable_user(UserPoolId=pool.id, Username=pool.subs[0])


def _asks_for_application(pool: Pool) -> None:
    """The owner of the second account sets an authenticator up, signed in since before anybody asked for a code."""
    pool.client.admin_set_user_mfa_preference(
        UserPoolId=pool.id, Username=pool.subs[1], SMSMfaSettings={"Enabled": False, "PreferredMfa": False}
    )
    token = _signed_in(pool, pool.subs[1])
    pool.client.associate_software_token(AccessToken=token)
    pool.client.verify_software_token(AccessToken=token, UserCode="123456")
    pool.client.admin_set_user_mfa_preference(
        UserPoolId=pool.id, Username=pool.subs[1], SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )


def sign_out() -> ChangeWorld:
    """Two accounts are signed in. What Cognito does not tell, moto's own store does."""
    clients = WorldClients()
    pool = Pool(clients, accounts=3)
    tokens = {sub: _signed_in(pool, sub) for sub in pool.subs}

    def lives(token: str) -> bool:
        try:
            pool.client.get_user(AccessToken=token)
        except pool.client.exceptions.ClientError:
            return False
        return True

    return ChangeWorld(
        clients=clients,
        change=SignOutUsers(clients),
        snapshot=lambda: {sub: lives(token) for sub, token in tokens.items()},
        meddle=lambda: _delete_last(pool),
        scope=scope(environment=environment(user_pools={"patients": pool.id})),
        params={"user_pool": "patients", "users": pool.subs[:2]},
        tells=False,
    )


def _signed_in(pool: Pool, sub: str) -> str:
    given = {"USERNAME": sub, "PASSWORD": "Secret-123"}
    flow = "ADMIN_USER_PASSWORD_AUTH"
    answer = pool.client.admin_initiate_auth(UserPoolId=pool.id, ClientId=pool.app, AuthFlow=flow, AuthParameters=given)
    return str(answer["AuthenticationResult"]["AccessToken"])


CHANGE_WORLDS: Worlds = {
    RestrictNetwork.name: (restriction, 3),
    ExtendLogging.name: (logging, 3),
    DisableUsers.name: (lambda: accounts(DisableUsers, _delete_last), 2),
    SignOutUsers.name: (sign_out, 2),
    ResetPasswords.name: (lambda: accounts(ResetPasswords, _disable_first), 2),
    RequireMfa.name: (lambda: accounts(RequireMfa, _asks_for_application), 2),
}
