/// A v1 Service, as far as `toServices` sees it.
public struct Service: Hashable, Sendable {
    /// Name, namespace and labels.
    public var metadata: ObjectMeta
    /// `spec.selector`; empty for a service without one.
    public var selector: [String: String]

    /// A service.
    public init(metadata: ObjectMeta, selector: [String: String]) {
        self.metadata = metadata
        self.selector = selector
    }
}

/// A discovery.k8s.io/v1 EndpointSlice: addresses of a service without selector.
public struct EndpointSlice: Hashable, Sendable {
    /// Name and namespace.
    public var metadata: ObjectMeta
    /// The label `kubernetes.io/service-name`.
    public var serviceName: String
    /// Addresses of all endpoints.
    public var addresses: [IPAddress]

    /// A slice.
    public init(metadata: ObjectMeta, serviceName: String, addresses: [IPAddress]) {
        self.metadata = metadata
        self.serviceName = serviceName
        self.addresses = addresses
    }
}
