/// Why a connection is closed as soon as it is accepted. The raw value is the name in logs and counters.
public enum ConnectionRefusal: String, Hashable, CaseIterable, Sendable {
    /// Its client has `ProxyLimits.connectionsOfClient`.
    case client = "client-connections"
    /// There are `ProxyLimits.connections` in all.
    case all = "connections"
}
