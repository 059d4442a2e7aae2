import Support
import Synchronization

/// The one document on standard output of a command that prints for programs: where it fails before there is any, one that says why.
enum ProgramAnswer {
    /// What is printed in the place of an answer.
    private struct Failure: Encodable {
        struct Reason: Encodable {
            let message: String
        }

        let version = 1
        let error: Reason
    }

    private struct State {
        var form: OutputForm?
        var isGiven = false
    }

    private static let state = Mutex(State())

    /// Says that programs read what is printed.
    static func expect(_ form: OutputForm) { state.withLock { $0.form = form } }

    /// The text of the answer, which whoever asks prints.
    static func text(_ value: some Encodable, _ form: OutputForm) throws -> String {
        markGiven()
        return form == .yaml ? try YAMLText.render(value) : try JSONText.render(value)
    }

    /// Says that the answer is printed.
    static func markGiven() { state.withLock { $0.isGiven = true } }

    /// Prints why there is no answer, if programs wait for one that was not printed.
    static func giveFailure() {
        let form = state.withLock { $0.isGiven ? nil : $0.form }
        guard let form else { return }
        let reason = Failure.Reason(message: ErrorOutput.lastError ?? "it failed; standard error says why")
        if let text = try? text(Failure(error: reason), form) { print(text) }
    }
}
