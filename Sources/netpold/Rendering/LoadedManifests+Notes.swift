import Agent
import Support

extension LoadedManifests {
    /// Says on standard error what stands for pods, and what was not read because nobody asks for it.
    func writeNotes(withSyntheticPods: Bool = true) {
        let notes = [withSyntheticPods ? decoded.syntheticPodsSummary : nil, decoded.skippedSummary, passedOver]
        for note in notes.compactMap(\.self) { ErrorOutput.write("note: \(PrintableName.of(note))\n") }
    }
}
