/// What one object or event costs a node and the API server. Sizes are of JSON as recorded from kube-apiserver 1.36
/// (Tests/KubeRecordings); CPU and memory are measured by `KubeBench` in the run that prints them.
public struct ScaleCosts: Hashable, Sendable {
    /// Bytes of a Pod with its managedFields.
    public var pod = 5_700.0
    /// Bytes of a Pod's metadata alone (PartialObjectMetadata): managedFields are most of them.
    public var podMetadata = 3_250.0
    /// Bytes of a Node.
    public var node = 6_000.0
    /// Bytes of an EndpointSlice besides its endpoints.
    public var slice = 900.0
    /// Bytes of an endpoint in a slice: address, conditions, node, the Pod's reference.
    public var endpoint = 290.0
    /// Bytes of a NetworkPolicy.
    public var policy = 1_000.0
    /// Bytes around an object in a watch: `{"type":"MODIFIED","object":...}`.
    public var envelope = 32.0
    /// CPU nanoseconds of decoding a Pod.
    public var podDecode = 17_000.0
    /// Resident bytes a Pod that an agent knows.
    public var podMemory = 1_000.0

    /// As recorded; CPU and memory as measured last.
    public init() {}
}
