import L7Proxy
import Support

/// What the datapath gives the node's proxy: the sockets at which L7 flows arrive, and who knows them.
struct NodeProxyPorts {
    /// Listening, transparent sockets, one for each event loop.
    let listeners: [CInt]
    /// Knows the flows.
    let resolver: any FlowResolver

    /// Opens the ports of an instance.
    ///
    /// - Throws: `SystemError` when the instance's datapath has no place for a proxy.
    static func open(instance: String, listeners count: Int) throws(SystemError) -> NodeProxyPorts {
        throw SystemError(
            "open", "the proxy's place in the datapath of instance \(instance)", nil,
            detail: "this version's datapath hands no flow to a proxy",
            hint: "try policies on their own with --listen, --to, -f and --pod")
    }
}
