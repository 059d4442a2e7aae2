import CNIPlugin
import Foundation
import Support

/// A machine with one veth into each namespace, and an agent that answers as it is told; notes the order of what is asked.
final class FakeHost: CNIHost {
    var links = CNIHostLinks(veths: [CNIHostLink(ifindex: 7, name: "veth7")], goesAround: nil)
    var admission = CNIAdmission.inForce
    var refusesToClose = false
    var isDecided = true
    var agentIsAway = false
    private(set) var asked: [String] = []

    func links(into namespace: String, interface: String) throws -> CNIHostLinks {
        asked.append("look")
        return links
    }

    func close(_ link: CNIHostLink, _ configuration: CNIConfiguration) throws {
        asked.append("close \(link.name)")
        if refusesToClose { throw SystemError("attach", link.name, nil, detail: "not permitted") }
    }

    func isDecided(_ link: CNIHostLink, _ configuration: CNIConfiguration) throws -> Bool { isDecided }

    func admit(_ pod: CNIPod, links: [CNIHostLink], _ configuration: CNIConfiguration, seconds: Int) -> CNIAdmission {
        asked.append("admit \(pod.namespace)/\(pod.name)")
        return admission
    }

    func unavailability(_ configuration: CNIConfiguration) -> String? { agentIsAway ? "connection refused" : nil }

    func sweep(_ configuration: CNIConfiguration) throws { asked.append("sweep") }
}
