import ArgumentParser
import Glibc
import LabKit
import Support

/// `netpold lab-respond`: answers on the ports of a kept lab until it is taken down. Started by `netpold lab --keep`.
struct LabRespondCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab-respond", abstract: "Answer on the ports of a kept lab.", shouldDisplay: false)

    @Argument(help: "Name of the lab.")
    var name: String

    func run() throws {
        do {
            try LabResponders.serve(lab: name, until: Interrupt()) {
                print(LabResponders.ready)
                fflush(nil)
            }
        } catch let failure as LabFailure {
            ErrorOutput.error("\(failure)")
            throw ExitCode.of(failure)
        }
    }
}
