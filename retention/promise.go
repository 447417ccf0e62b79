package retention

// Promise is something that every parley says of itself, and the tests that fail when it is not so.
type Promise struct {
	Says  string
	Tests []string // the folder, a blank, and the name of a Go test or of a file of tests for the page
}

// Promises returns all of them, in the order of the privacy page.
func Promises() []Promise {
	return []Promise{
		{
			"What the two browsers of a call tell each other to set it up, and what they say in it, the server cannot open.",
			[]string{"internal/keyring TestMalleability", "web/app seal.test.js", "internal/e2e TestBrowserStrangersTalk"},
		},
		{
			"A stranger does not learn your network address unless both of you press direct.",
			[]string{"internal/e2e TestBrowserStrangersTalk", "internal/e2e TestBrowserDirectByConsent", "web/app sdp.test.js", "turn TestVeilReachesNothingElse"},
		},
		{
			"A server that sits in the middle of a call shows in the five symbols.",
			[]string{"internal/e2e TestBrowserMiddleman", "internal/e2e TestBrowserMiddlemanOwnExchange", "web/app sas.test.js"},
		},
		{
			"The words and the password of a private room never reach the server, nor does the number of a channel: of that it sees a mark which four numbers share.",
			[]string{"internal/e2e TestBrowserLinkRoom", "internal/e2e TestBrowserChannel", "web/app room-keys.test.js"},
		},
		{
			"Nothing is stored in the database but what stands on this page, for no longer than it says, and not more of it.",
			[]string{"retention TestAudit", "retention TestCatalogue", ". TestKeysAreDeclared", "signaling TestTranscripts"},
		},
		{
			"A report is gone 30 days after it was made, from memory at once and from the disk when Redis writes its file anew, and no copy of the database tells whose it was once that week's key is destroyed.",
			[]string{"moderation TestReportLivesThirtyDays", "moderation TestEachReportDiesAtItsTime", "moderation TestErasedLeavesTheDisk", "moderation TestShredding", "internal/keyring TestDueKeyLeavesTheFile"},
		},
		{
			"No network address, token, device or text of yours is in a log, with one exception: where whoever runs the server keeps a relay log, it has the network addresses of those who used the relay, for seven days. How much there is now says whether there is one here.",
			[]string{"internal/redact TestCanaries", "signaling TestTranscripts"},
		},
		{
			"Your network address ends at the door: what is behind it knows a keyed mark of your network.",
			[]string{"web TestNetwork", "web TestLimiterIsBounded"},
		},
		{
			"Nobody is limited by one reporter, nor by one network within a week.",
			[]string{"moderation/score TestPropertyOneReporterNeverExceedsWatch", "moderation/score TestPropertyOneNetworkNeverRestrictsWithinAWeek"},
		},
		{
			"What is stored about your device alone you can see, and erase.",
			[]string{"internal/e2e TestBrowserErase", "signaling TestTranscripts"},
		},
		{
			"A finished call adds one to the count of its hour, and of those counts nobody is told a number below ten.",
			[]string{"moderation TestHours", "moderation/office TestHoursAreTold", "retention TestPublic", "internal/metrics TestFewAreNotTold"},
		},
		{
			"Your browser loads everything from this server, and asks nobody else for anything.",
			[]string{"web TestHeaders", "internal/e2e TestBrowserVisit"},
		},
		{
			"The files of the page are the ones that this page's list of sums names.",
			[]string{"web TestIntegrity", "internal/e2e TestBrowserIntegrity"},
		},
	}
}
