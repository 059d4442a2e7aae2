import Datapath
import Glibc
public import Support

/// What answers in a kept lab: a process of its own, `netpold lab-respond`, since the one that built the lab has ended.
public enum LabResponders {
    /// The line that the process prints when every port is open.
    public static let ready = "ready"

    /// Starts the process for a lab, in place of one that serves other ports, and notes it.
    static func start(_ state: inout LabState, _ folder: LabFolder, _ interrupt: Interrupt) throws {
        if state.responders != nil { LabProcess.end(whoseArgumentsHold: [["lab-respond", folder.name]]) }
        try folder.write(state)
        let log = "\(folder.path)/responders.log"
        let process = try LabProcess.start(["lab-respond", folder.name], log: log)
        state.responders = process
        try folder.write(state)
        while !LabProcess.log(log, says: LabResponders.ready) {
            try interrupt.check()
            guard LabProcess.isRunning(child: process) else {
                throw LabFailure.environment(
                    "the responders of the kept lab ended: \(LabProcess.text(of: log))")
            }
            usleep(5_000)
        }
    }

    /// The network of a lab.
    static func network(of state: LabState, lab name: String) throws -> RoutedNetwork {
        let layout = NetworkLayout(
            nodes: state.nodes.map(\.ipAddresses),
            attachments: state.pods.map {
                .init(
                    name: $0.attachment, nodeInterface: $0.nodeInterface, addresses: $0.ipAddresses, node: $0.node)
            })
        return try RoutedNetwork.open(layout, in: "\(LabFolder.root)/\(name)/netns")
    }

    /// Answers on the ports of a lab until a signal comes.
    ///
    /// - Parameters:
    ///   - name: of the lab.
    ///   - interrupt: where the signal arrives.
    ///   - opened: called when every port is open.
    /// - Throws: `LabFailure` when no lab has that name; `SystemError` when its network or a port cannot be opened.
    public static func serve(lab name: String, until interrupt: Interrupt, opened: () -> Void) throws {
        guard let state = LabFolder.state(of: name) else {
            throw LabFailure.environment("there is no lab \"\(name)\"")
        }
        LabProcess.raiseFileLimit()
        let network = try network(of: state, lab: name)
        let loop = try EventLoop()
        let responders = try LabProbing.respond(
            state.served, names: state.names ?? [:], in: network, loop: loop)
        defer { withExtendedLifetime(responders) {} }
        opened()
        while (try? interrupt.check()) != nil { loop.turn(atMost: 500) }
    }
}
