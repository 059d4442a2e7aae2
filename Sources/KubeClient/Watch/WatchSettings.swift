/// The times and sizes of `WatchMachine`. Times are since whatever the owner's clock counts from.
public struct WatchSettings: Hashable, Sendable {
    /// In how many places the API server may have the kind (versions of its group), the best first.
    public var places: Int
    /// Whether the kind may be missing: it is defined by a CustomResourceDefinition.
    public var isOptional: Bool
    /// Whether to ask for the objects as the first events of a watch, where the server can do that.
    public var streamsLists: Bool
    /// Objects of one page of a list, at most.
    public var pageLimit: Int
    /// How long a list may take, all its pages together. API servers forget where a page begins after five to ten minutes.
    public var listLimit: Duration
    /// How many lists go well before it is tried again to ask for objects as events; twice as many after each further failure.
    public var listsBeforeStreaming: Int
    /// How long to wait for an answer to begin, and for an answer to go on.
    public var answerLimit: Duration
    /// How long a watch may say nothing before it is taken to be deaf. Bookmarks come once a minute.
    public var silenceLimit: Duration
    /// Seconds after which the server is asked to end a watch; a random value of the range.
    public var watchSeconds: ClosedRange<Int>
    /// A watch that ends in order sooner than this was refused in all but name.
    public var shortWatch: Duration
    /// The delay after the first failure; it doubles with each further one.
    public var firstDelay: Duration
    /// The longest delay.
    public var longestDelay: Duration
    /// How often to look whether a missing kind is there.
    public var absentPoll: Duration
    /// How often to look for it where its appearance is announced.
    public var announcedPoll: Duration
    /// How soon to look again before objects are dropped because their kind is said to be missing.
    public var absentConfirmation: Duration

    /// Settings.
    public init(
        places: Int = 1, isOptional: Bool = false, streamsLists: Bool = true, pageLimit: Int = 500,
        listLimit: Duration = .seconds(600), listsBeforeStreaming: Int = 2,
        answerLimit: Duration = .seconds(30), silenceLimit: Duration = .seconds(120),
        watchSeconds: ClosedRange<Int> = 300...600, shortWatch: Duration = .seconds(5),
        firstDelay: Duration = .milliseconds(500), longestDelay: Duration = .seconds(30),
        absentPoll: Duration = .seconds(30), announcedPoll: Duration = .seconds(600),
        absentConfirmation: Duration = .seconds(2)
    ) {
        self.places = places
        self.isOptional = isOptional
        self.streamsLists = streamsLists
        self.pageLimit = pageLimit
        self.listLimit = listLimit
        self.listsBeforeStreaming = listsBeforeStreaming
        self.answerLimit = answerLimit
        self.silenceLimit = silenceLimit
        self.watchSeconds = watchSeconds
        self.shortWatch = shortWatch
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
        self.absentPoll = absentPoll
        self.announcedPoll = announcedPoll
        self.absentConfirmation = absentConfirmation
    }
}
