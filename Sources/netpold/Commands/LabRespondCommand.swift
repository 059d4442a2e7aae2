import ArgumentParser
import Datapath
import Glibc

/// `netpold lab-respond`: answers on the ports of a kept lab until it is taken down. Started by `netpold lab --keep`.
struct LabRespondCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab-respond", abstract: "Answer on the ports of a kept lab.", shouldDisplay: false)

    /// What it prints when every port is open.
    static let isReady = "ready"

    @Argument(help: "Name of the lab.")
    var name: String

    func run() throws {
        let interrupt = Interrupt()
        guard let state = LabFolder.state(of: name) else { throw ExitCode(LabFailure.Code.environment.rawValue) }
        LabProcess.raiseFileLimit()
        let layout = NetworkLayout(
            nodeAddresses: [],
            attachments: state.pods.map {
                .init(name: $0.attachment, nodeInterface: $0.nodeInterface, addresses: $0.ipAddresses)
            })
        let network = try RoutedNetwork.open(layout, in: "\(LabFolder.root)/\(name)/netns")
        let loop = try EventLoop()
        let responders = try LabProbing.respond(state.served, in: network, loop: loop)
        defer { withExtendedLifetime(responders) {} }
        print(LabRespondCommand.isReady)
        fflush(nil)
        while (try? interrupt.check()) != nil { loop.turn(atMost: 500) }
    }
}
