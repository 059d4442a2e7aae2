import Agent
import ArgumentParser
import Support

/// `netpold endpoints`.
struct EndpointsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "List the pods of this node with their interfaces, identities and policies.",
        discussion: """
            States: ready (policies in place), orphan (the same, with the labels and addresses that its Pod object had last), \
            pending (found, not programmed yet), waiting (no interface of it was found yet), failed, unenforced (a pod \
            without an interface that can be enforced, or an interface that nobody knows the pod of), isolated (such an \
            interface that only the node reaches). Below the table: why a row is not simply ready.

            "bound by" is what says whose interface it is, best first: cniRecord, cniCache (the runtime's notes name the pod), \
            podCgroup (the cgroup of the processes inside), cniAddress, pinnedEndpoint (an earlier agent), hostRoute, \
            insideAddress (only the namespace itself).

            Exit codes: 0 listed; 1 no agent answers in time; 2 wrong arguments.
            """)

    @OptionGroup var instance: InstanceOptions
    @OptionGroup var timeout: TimeoutOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let agent = try AgentConnection(instance, timeout: timeout.duration)
        guard case .endpoints(let endpoints) = try agent.ask(.endpoints) else {
            throw AgentConnection.unexpected()
        }
        if json {
            print(try JSONText.render(endpoints))
        } else {
            EndpointsRendering(style: Terminal.output.style).lines(endpoints).forEach { print($0) }
        }
    }
}
