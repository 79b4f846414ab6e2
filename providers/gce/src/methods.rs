//! The table of methods: which resource type has which verb, and in which scopes.
//!
//! [`Collection`](crate::Collection) offers a verb only for types that are marked for it here, so a call that the API
//! does not have does not compile.

use gce_api::{
    Address, BackendBucket, BackendService, Firewall, ForwardingRule, HealthCheck, Instance, InstanceGroup,
    Network, NetworkEndpointGroup, Operation, Region, Resource, SecurityPolicy, SslCertificate, SslPolicy,
    Subnetwork, TargetHttpProxy, TargetHttpsProxy, UrlMap, Zone,
};

use crate::Place;

/// A resource type that this client can address.
pub trait Placed: Resource {
    /// The places that have a collection of it.
    const PLACES: &'static [Place];
}

/// Has a global collection.
pub trait InGlobal: Placed {}
/// Has a collection in every region.
pub trait InRegion: Placed {}
/// Has a collection in every zone.
pub trait InZone: Placed {}

/// Can be listed over all scopes at once.
pub trait AggregatedList: Placed {}
/// Can be created.
pub trait Insert: Placed {}
/// Can be replaced by PUT: what the body does not say goes back to its default.
pub trait Update: Placed {}
/// Can be changed in part by a merge patch (RFC 7396).
pub trait Patch: Placed {}
/// Can be deleted.
pub trait Delete: Placed {}
/// Can be asked what the caller may do with it (`testIamPermissions` in v1 of the API).
pub trait TestPermissions: Placed {}

macro_rules! methods {
    ($($resource:ty: [$($place:ident),+] $($scope:ident)*; $($verb:ident)*;)+) => {$(
        impl Placed for $resource {
            const PLACES: &'static [Place] = &[$(Place::$place),+];
        }
        $(impl $scope for $resource {})*
        $(impl $verb for $resource {})*
    )+};
}

methods! {
    Address: [Global, Region] InGlobal InRegion; AggregatedList Insert Delete TestPermissions;
    ForwardingRule: [Global, Region] InGlobal InRegion; AggregatedList Insert Patch Delete;
    TargetHttpProxy: [Global, Region] InGlobal InRegion; AggregatedList Insert Patch Delete;
    TargetHttpsProxy: [Global, Region] InGlobal InRegion; AggregatedList Insert Patch Delete;
    UrlMap: [Global, Region] InGlobal InRegion; AggregatedList Insert Update Patch Delete TestPermissions;
    BackendService: [Global, Region] InGlobal InRegion; AggregatedList Insert Update Patch Delete TestPermissions;
    HealthCheck: [Global, Region] InGlobal InRegion; AggregatedList Insert Update Patch Delete TestPermissions;
    SslCertificate: [Global, Region] InGlobal InRegion; AggregatedList Insert Delete;
    NetworkEndpointGroup: [Zone, Region, Global] InGlobal InRegion InZone; AggregatedList Insert Delete TestPermissions;
    InstanceGroup: [Zone, Region] InRegion InZone; AggregatedList Insert Delete TestPermissions;
    Instance: [Zone] InZone; AggregatedList;
    Firewall: [Global] InGlobal; Insert Update Patch Delete TestPermissions;
    Network: [Global] InGlobal; Insert Patch Delete;
    Subnetwork: [Region] InRegion; AggregatedList Insert Patch Delete;
    Operation: [Global, Region, Zone] InGlobal InRegion InZone; AggregatedList;
    SslPolicy: [Global, Region] InGlobal InRegion; ;
    SecurityPolicy: [Global, Region] InGlobal InRegion; ;
    BackendBucket: [Global] InGlobal; ;
    Region: [Project]; ;
    Zone: [Project]; ;
}
