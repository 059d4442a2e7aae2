import Agent
import BPFEmit
import CNIPlugin
import Datapath
import Glibc
import Support

/// The machine and the agent for `netpold cni`.
struct CNIMachine: CNIHost {
    /// How long the agent may take for what it does not wait for.
    private static let patience = Duration.seconds(2)

    func links(into namespace: String, interface: String) throws -> CNIHostLinks {
        let (links, evidence) = try HostScanner.look(at: namespace)
        guard let inside = evidence.interfaces.first(where: { $0.name == interface }) else {
            throw SystemError("look at namespace", namespace, nil, detail: "it has no interface \(interface)")
        }
        let reason: String? =
            switch inside.reach {
            case .node(let ifindex):
                links.contains { $0.ifindex == ifindex && $0.isEnforceable } ? nil : "its end on the host is no veth"
            case .around: "it is a \(inside.kind.isEmpty ? "network card" : inside.kind), not a veth of the host"
            case .inside: "it does not lead to the host"
            }
        let veths = links.filter(\.isEnforceable).map { CNIHostLink(ifindex: $0.ifindex, name: $0.name) }
        return CNIHostLinks(veths: veths, goesAround: reason)
    }

    func close(_ link: CNIHostLink, _ configuration: CNIConfiguration) throws {
        try InterfaceGate(PinPath(instance: configuration.instance)).close(link.ifindex)
    }

    func isDecided(_ link: CNIHostLink, _ configuration: CNIConfiguration) throws -> Bool {
        try InterfaceGate(PinPath(instance: configuration.instance)).isDecided(link.ifindex)
    }

    func sweep(_ configuration: CNIConfiguration) throws {
        try InterfaceGate(PinPath(instance: configuration.instance)).sweep()
    }

    func admit(_ pod: CNIPod, links: [CNIHostLink], _ configuration: CNIConfiguration, seconds: Int) -> CNIAdmission {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(seconds)
        while true {
            let left = deadline - clock.now
            let reason: String
            do {
                let client = try LocalClient(path: CNIMachine.socket(configuration), timeout: CNIMachine.patience)
                let milliseconds = max(0, Int(left / .milliseconds(1)))
                try client.send(
                    .admit(
                        PodAdmission(
                            pod: PodReference(namespace: pod.namespace, name: pod.name, uid: pod.uid),
                            interfaces: links.map(\.ifindex), timeoutMilliseconds: milliseconds)))
                switch try client.next(timeout: max(left, .zero) + CNIMachine.patience) {
                case .admitted(inForce: true, reason: _): return .inForce
                case .admitted(inForce: false, let why): reason = why
                // Too many pods start at once: they take turns.
                case .error(let error): reason = error.message
                case nil: reason = "the agent has gone"
                default: reason = "the agent gave an answer that was not asked for"
                }
            } catch let error as SystemError where CNIMachine.isAbsence(error) {
                reason = "no agent of instance \(configuration.instance) runs"
            } catch {
                reason = "\(error)"
            }
            guard clock.now < deadline else { return .late(reason) }
            usleep(50_000)
        }
    }

    func unavailability(_ configuration: CNIConfiguration) -> String? {
        do {
            let client = try LocalClient(path: CNIMachine.socket(configuration), timeout: CNIMachine.patience)
            try client.send(.health, timeout: CNIMachine.patience)
            guard case .health = try client.next(timeout: CNIMachine.patience) else { return "it has gone" }
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func socket(_ configuration: CNIConfiguration) throws -> String {
        if let socket = configuration.socket { return socket }
        guard let paths = InstancePaths(instance: configuration.instance) else {
            throw SystemError("find", "instance \(configuration.instance)", nil, detail: "this is no instance's name")
        }
        return paths.socket
    }

    private static func isAbsence(_ error: SystemError) -> Bool {
        error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused
    }
}
