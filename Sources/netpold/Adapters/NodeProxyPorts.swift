import Datapath
import Glibc
import L7Proxy
import Support

/// What the datapath gives the node's proxy: the sockets at which L7 flows arrive, and who knows them.
struct NodeProxyPorts {
    /// Listening, transparent sockets, one for each event loop.
    let listeners: [CInt]
    /// Knows the flows.
    let resolver: any FlowResolver
    /// By which it names the ends of flows.
    let pods: PodNames
    /// Learns what DNS answers over TCP say.
    let learner: any AnswerLearner
    /// Called before the listening sockets are closed.
    let end: @Sendable () -> Void

    /// How often it is looked for a place that is not there yet.
    private static let patience = Duration.milliseconds(200)

    /// Waits until the instance's agent has made the place for the proxy: both start together when the node does, and the agent
    /// takes longer. Says so when it has to wait. Answers false when a signal to end came before.
    static func awaitPlace(instance: String) async -> Bool {
        let place = ProxyPlace(instance: instance)
        guard !place.isMade else { return true }
        ErrorOutput.write(
            "netpold proxy: waiting for \(place.namespace), which `netpold agent --l7-proxy` makes; until then what needs the proxy is "
                + "refused\n")
        let signals = SignalListener([SIGTERM, SIGINT])
        while signals.earliest == nil {
            if place.isMade { return true }
            try? await Task.sleep(for: patience)
        }
        return false
    }

    /// Moves the process into the place that the instance's agent has made for the proxy, by starting it anew there, and opens the ports.
    /// Ends the process when the place is made anew: whoever supervises it starts it in the new one.
    ///
    /// - Throws: `SystemError` when the instance's datapath has no place for a proxy.
    static func open(instance: String, listeners count: Int) throws(SystemError) -> NodeProxyPorts {
        let place = ProxyPlace(instance: instance)
        do {
            try NamespaceEntry.enter(place.namespace)
            let listeners = try ProxyListeners(instance: instance, count: count)
            let flows = try ProxiedFlows(instance: instance)
            let pods = PodNames()
            let ports = NodeProxyPorts(
                listeners: listeners.sockets, resolver: NodeFlowResolver(flows, naming: pods), pods: pods,
                learner: NodeAnswerLearner(flows, try DNSLessons(instance: instance)), end: { listeners.end() })
            Task.detached { await watch(listeners, place) }
            return ports
        } catch {
            throw SystemError(
                "open", "the proxy's place in the datapath of instance \(instance)", nil, detail: "\(error)",
                hint: "`netpold agent --l7-proxy` makes it; to try policies on their own: --listen, --to, -f and --pod")
        }
    }

    private static func watch(_ listeners: ProxyListeners, _ place: ProxyPlace) async {
        while true {
            try? await Task.sleep(for: .seconds(1))
            // An agent that upgrades or restarts is between two states for moments; only another namespace is for good.
            if (try? listeners.isAtHome()) == false {
                ErrorOutput.error("\(place.namespace) is another network namespace by now: flows arrive there")
                exit(3)
            }
            try? listeners.register()
        }
    }
}
