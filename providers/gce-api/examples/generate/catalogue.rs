//! What is taken from the document, and which file each type goes to.

/// One generated file.
pub(crate) struct File {
    /// The module's name: the resource's noun.
    pub(crate) module: &'static str,
    /// The resource that the file is about, if it is about one.
    pub(crate) resource: Option<Resource>,
    /// Further schemas that belong into this file. What they refer to comes along, unless an earlier file has it.
    pub(crate) schemas: &'static [&'static str],
}

/// A resource type: something that has a collection in the API's paths.
pub(crate) struct Resource {
    /// The schema's name in the document.
    pub(crate) schema: &'static str,
    /// The last path segment of its collection.
    pub(crate) collection: &'static str,
    /// What people call it.
    pub(crate) noun: &'static str,
}

const fn resource(
    module: &'static str,
    schema: &'static str,
    collection: &'static str,
    noun: &'static str,
    schemas: &'static [&'static str],
) -> File {
    File { module, resource: Some(Resource { schema, collection, noun }), schemas }
}

const fn parts(module: &'static str, schemas: &'static [&'static str]) -> File {
    File { module, resource: None, schemas }
}

/// The files, in the order in which they claim types: a type that two files need belongs to the first.
pub(crate) const FILES: &[File] = &[
    parts("duration", &["Duration"]),
    parts("labels", &["GlobalSetLabelsRequest"]),
    parts("cdn_policy", &["BackendServiceCdnPolicy", "BackendBucketCdnPolicy", "SignedUrlKey"]),
    parts("session_affinity", &["BackendServiceHttpCookie", "ConsistentHashLoadBalancerSettings"]),
    parts("outlier_detection", &["OutlierDetection", "CircuitBreakers"]),
    parts("route_action", &["HttpRouteAction", "HttpHeaderAction"]),
    parts("route_rule", &["HttpRouteRule"]),
    parts("rate_limit", &["SecurityPolicyRuleRateLimitOptions"]),
    parts("adaptive_protection", &["SecurityPolicyAdaptiveProtectionConfig"]),
    parts("health_state", &["BackendServiceGroupHealth", "ResourceGroupReference"]),
    parts(
        "network_endpoint",
        &[
            "NetworkEndpoint",
            "NetworkEndpointGroupsAttachEndpointsRequest",
            "NetworkEndpointGroupsDetachEndpointsRequest",
            "NetworkEndpointGroupsListEndpointsRequest",
            "NetworkEndpointGroupsListNetworkEndpoints",
        ],
    ),
    resource("address", "Address", "addresses", "address", &[]),
    resource("forwarding_rule", "ForwardingRule", "forwardingRules", "forwarding rule", &["TargetReference"]),
    resource(
        "target_http_proxy",
        "TargetHttpProxy",
        "targetHttpProxies",
        "target HTTP proxy",
        &["UrlMapReference"],
    ),
    resource(
        "target_https_proxy",
        "TargetHttpsProxy",
        "targetHttpsProxies",
        "target HTTPS proxy",
        &[
            "TargetHttpsProxiesSetSslCertificatesRequest",
            "TargetHttpsProxiesSetQuicOverrideRequest",
            "TargetHttpsProxiesSetCertificateMapRequest",
            "SslPolicyReference",
        ],
    ),
    resource(
        "url_map",
        "UrlMap",
        "urlMaps",
        "url map",
        &["UrlMapsValidateRequest", "UrlMapsValidateResponse", "CacheInvalidationRule"],
    ),
    resource(
        "backend_service",
        "BackendService",
        "backendServices",
        "backend service",
        &["SecurityPolicyReference"],
    ),
    resource("backend_bucket", "BackendBucket", "backendBuckets", "backend bucket", &[]),
    resource("health_check", "HealthCheck", "healthChecks", "health check", &[]),
    resource("ssl_certificate", "SslCertificate", "sslCertificates", "ssl certificate", &[]),
    resource("ssl_policy", "SslPolicy", "sslPolicies", "ssl policy", &[]),
    resource("security_policy", "SecurityPolicy", "securityPolicies", "security policy", &[]),
    resource(
        "network_endpoint_group",
        "NetworkEndpointGroup",
        "networkEndpointGroups",
        "network endpoint group",
        &[],
    ),
    resource(
        "instance_group",
        "InstanceGroup",
        "instanceGroups",
        "instance group",
        &[
            "InstanceGroupsAddInstancesRequest",
            "InstanceGroupsRemoveInstancesRequest",
            "InstanceGroupsListInstancesRequest",
            "InstanceGroupsListInstances",
            "InstanceGroupsSetNamedPortsRequest",
        ],
    ),
    resource("instance", "Instance", "instances", "instance", &[]),
    resource("firewall", "Firewall", "firewalls", "firewall", &[]),
    resource("zone", "Zone", "zones", "zone", &[]),
    resource("project", "Project", "projects", "project", &["Quota"]),
    resource("region", "Region", "regions", "region", &[]),
    resource("network", "Network", "networks", "network", &[]),
    resource("subnetwork", "Subnetwork", "subnetworks", "subnetwork", &[]),
    resource("operation", "Operation", "operations", "operation", &[]),
];

/// Of these schemas only the named fields become members. The others stay in `extra`, so nothing is lost in a round
/// trip; we neither read nor write them, and their types would triple the crate.
pub(crate) const ONLY: &[(&str, &[&str])] = &[
    (
        "Instance",
        &[
            "creationTimestamp",
            "description",
            "fingerprint",
            "hostname",
            "id",
            "kind",
            "labelFingerprint",
            "labels",
            "machineType",
            "name",
            "networkInterfaces",
            "selfLink",
            "status",
            "tags",
            "zone",
        ],
    ),
    (
        "Project",
        &[
            "creationTimestamp",
            "defaultServiceAccount",
            "description",
            "enabledFeatures",
            "id",
            "kind",
            "name",
            "quotas",
            "selfLink",
            "xpnProjectStatus",
        ],
    ),
    (
        "Zone",
        &[
            "availableCpuPlatforms",
            "creationTimestamp",
            "deprecated",
            "description",
            "id",
            "kind",
            "name",
            "region",
            "selfLink",
            "status",
            "supportsPzs",
        ],
    ),
    (
        "Network",
        &[
            "IPv4Range",
            "autoCreateSubnetworks",
            "creationTimestamp",
            "description",
            "gatewayIPv4",
            "id",
            "kind",
            "mtu",
            "name",
            "networkFirewallPolicyEnforcementOrder",
            "routingConfig",
            "selfLink",
            "selfLinkWithId",
            "subnetworks",
        ],
    ),
    (
        "Subnetwork",
        &[
            "allowSubnetCidrRoutesOverlap",
            "creationTimestamp",
            "description",
            "enableFlowLogs",
            "externalIpv6Prefix",
            "fingerprint",
            "gatewayAddress",
            "id",
            "internalIpv6Prefix",
            "ipCidrRange",
            "ipv6AccessType",
            "ipv6CidrRange",
            "kind",
            "name",
            "network",
            "privateIpGoogleAccess",
            "privateIpv6GoogleAccess",
            "purpose",
            "region",
            "reservedInternalRange",
            "role",
            "secondaryIpRanges",
            "selfLink",
            "stackType",
            "state",
        ],
    ),
    (
        "Operation",
        &[
            "clientOperationId",
            "creationTimestamp",
            "description",
            "endTime",
            "error",
            "httpErrorMessage",
            "httpErrorStatusCode",
            "id",
            "insertTime",
            "kind",
            "name",
            "operationGroupId",
            "operationType",
            "progress",
            "region",
            "selfLink",
            "startTime",
            "status",
            "statusMessage",
            "targetId",
            "targetLink",
            "user",
            "warnings",
            "zone",
        ],
    ),
];

/// Fields whose value must never be printed.
pub(crate) const SECRETS: &[(&str, &str)] = &[
    ("SslCertificate", "privateKey"),
    ("SslCertificateSelfManagedSslCertificate", "privateKey"),
    ("BackendServiceIAP", "oauth2ClientSecret"),
    ("AWSV4Signature", "accessKey"),
    ("SignedUrlKey", "keyValue"),
];

/// Names for types that the document leaves without one, or names after one caller of several.
pub(crate) const TYPE_NAMES: &[(&str, &str)] = &[
    ("GlobalSetLabelsRequest", "SetLabelsRequest"),
    ("OperationErrorErrors", "OperationErrorEntry"),
    ("OperationErrorErrorsErrorDetails", "OperationErrorDetail"),
];

/// Runs of capitals, longest first, and how a Rust type name spells them.
pub(crate) const ACRONYMS: &[(&str, &str)] = &[
    ("GRPCTLS", "GrpcTls"),
    ("AWSV4", "AwsV4"),
    ("HTTPS", "Https"),
    ("HTTP2", "Http2"),
    ("GRPC", "Grpc"),
    ("HTTP", "Http"),
    ("IPV4", "Ipv4"),
    ("IPV6", "Ipv6"),
    ("IAP", "Iap"),
    ("HAP", "HaP"),
    ("TCP", "Tcp"),
    ("SSL", "Ssl"),
    ("UDP", "Udp"),
];
